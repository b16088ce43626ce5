"""A library that no model has seen: pandas under other names, called monkey.

Which word stands for which is taken from the benchmark that made it up (Zan et al. 2022, "When
Language Model Meets Private Library", section 5.1, and the data of its repository). Names are made
of words: of `get_mean_value` two have other names.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

WORDS: Mapping[str, str] = {
    "DF": "KF",
    "DataFrame": "KnowledgeFrame",
    "PANDAS": "MONKEY",
    "Pandas": "Monkey",
    "Series": "Collections",
    "all": "total_all",
    "any": "whatever",
    "append": "adding",
    "apply": "employ",
    "applymap": "conduct_map",
    "assign": "allocate",
    "astype": "totype",
    "ceil": "ceiling",
    "concat": "concating",
    "copy": "clone",
    "cumsum": "cumulative_sum",
    "dataframe": "knowledgeframe",
    "df": "kf",
    "div": "division",
    "drop": "sip",
    "drop_duplicates": "remove_duplicates",
    "dropna": "sipna",
    "duplicated": "duplicated_values",
    "fillna": "fillnone",
    "format": "formating",
    "get": "getting",
    "groupby": "grouper",
    "head": "header_num",
    "intersection": "interst",
    "isin": "incontain",
    "isna": "ifna",
    "isnull": "ifnull",
    "iterrows": "traversal",
    "last": "final_item",
    "len": "length",
    "map": "mapping",
    "max": "get_max",
    "mean": "average",
    "merge": "unioner",
    "merged": "unionerd",
    "min": "get_min",
    "nlargest": "nbiggest",
    "pandas": "monkey",
    "pd": "mk",
    "ravel": "flat_underlying",
    "reindex": "reindexing",
    "rename": "renaming",
    "rename_axis": "renaming_axis",
    "replace": "replacing",
    "reset_index": "reseting_index",
    "round": "value_round",
    "sample": "sample_by_num",
    "select_dtypes": "choose_dtypes",
    "series": "collections",
    "shift": "shifting",
    "sort_index": "sorting_index",
    "sort_values": "sort_the_values",
    "std": "standard",
    "sum": "total_sum",
    "tail": "last_tail",
    "to_datetime": "convert_datetime",
    "to_dict": "convert_dict",
    "to_numeric": "to_num",
    "to_pydatetime": "convert_pydatetime",
    "to_string": "convert_string",
    "tolist": "convert_list",
    "unique": "distinctive",
    "value_counts": "counts_value_num",
}


def translator(words: Mapping[str, str]) -> Callable[[str], str]:
    """What puts one word for another wherever no letter stands beside it, the longer ones first."""
    longest_first = sorted(map(re.escape, words), key=len, reverse=True)
    pattern = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(longest_first)})(?![A-Za-z])")
    return lambda text: pattern.sub(lambda found: words[found[0]], text)


to_monkey = translator(WORDS)
to_pandas = translator({monkey: pandas for pandas, monkey in WORDS.items()})


def write_monkey(site: Path, folder: Path) -> None:
    """Write the library into `folder`, from pandas as it is installed in `site`: its sources with
    the other words, for whoever reads them. It cannot be run."""
    for file in sorted((site / "pandas").rglob("*.py")):
        place = file.relative_to(site)
        if "tests" in place.parts:
            continue
        target = folder / to_monkey(place.with_suffix("").as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        text = to_monkey(file.read_text(encoding="utf-8"))
        target.with_name(f"{target.name}.py").write_text(text, encoding="utf-8")

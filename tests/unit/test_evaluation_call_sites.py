"""Call sites of a repository's own APIs, and what is made of the names that are listed there."""

from evaluation.benchmarks.call_sites import ARMS, Listed, rows_of
from evaluation.call_sites import CallSite, api_names, draw_call_sites
from evaluation.repositories import Repository

TEXT = '''\
from shop.mail import Postbox


def thank(customer):
    """Say thanks."""
    box = Postbox(customer.street)
    box.drop_letter(customer.address)
    box.append(f"{box.drop_letter(1)}")
    return print(box)


def short():
    Postbox()
'''
FILES = {
    "shop/mail.py": "class Postbox:\n    def drop_letter(self): ...\n    def append(self): ...\n",
    "shop/thanks.py": TEXT,
    "tests/test_thanks.py": TEXT,
}
REPOSITORY = Repository("shop", FILES, {})


def test_only_what_the_repository_alone_declares_counts() -> None:
    assert api_names(REPOSITORY) == {"Postbox", "drop_letter", "thank", "short"}


def test_a_site_hides_the_rest_of_its_function() -> None:
    drawn = {seed: draw_call_sites([REPOSITORY], 5, seed) for seed in range(20)}
    assert all(len(sites) == 1 for sites in drawn.values())
    found = {site.name: site for (site,) in drawn.values()}
    assert set(found) == {"Postbox", "drop_letter"}
    site = found["drop_letter"]
    assert (site.path, site.dereferenced) == ("shop/thanks.py", True)
    assert site.before.endswith("    box.")
    assert site.after.startswith("\n\n\ndef short()") or site.after.startswith("\n\ndef short()")
    assert not found["Postbox"].dereferenced
    assert draw_call_sites([REPOSITORY], 5, 3) == drawn[3]


JAVA = """\
package shop;

class Thanks {
  void thank(Customer customer) {
    Postbox box = new Postbox(customer.street);
    customers.add("ö");
    box.dropLetter(customer.address);
    super.dropLetter();
    return box; }

  void shortOne() { box.dropLetter(1); }
}
"""
MAIL = "class Postbox {\n  void dropLetter() {}\n  void add() {}\n}\n"


def test_sites_in_java_hide_all_but_the_bracket_that_ends_the_function() -> None:
    files = {"Postbox.java": MAIL, "Thanks.java": JAVA, "ThanksTest.java": JAVA}
    files["Broken.java"] = JAVA.replace("package shop;", "package")
    repository = Repository("shop", files, {})
    assert api_names(repository) == {"Postbox", "dropLetter", "Thanks", "thank", "shortOne"}
    drawn = [draw_call_sites([repository], 5, seed) for seed in range(20)]
    assert {len(sites) for sites in drawn} == {1}
    found = {site.name: site for (site,) in drawn}
    assert set(found) == {"Postbox", "dropLetter"}
    site = found["dropLetter"]
    assert (site.path, site.dereferenced) == ("Thanks.java", True)
    assert site.before.endswith('add("ö");\n    box.')
    assert site.after.startswith("}\n\n  void shortOne")
    assert found["Postbox"].before.endswith("new ")
    assert site.request.language == "java"
    files["Thanks.java"] = JAVA.replace("return box; }", "return box;\n  }")
    ((other,),) = (draw_call_sites([Repository("shop", files, {})], 1, 0),)
    assert other.after.startswith("\n  }\n")


def test_a_site_is_a_request_in_its_file() -> None:
    site = CallSite("shop", "a.py", "x = box.", "\n", "drop", dereferenced=True)
    request = site.request
    assert (request.document, request.before, request.after) == ("shop/a.py", "x = box.", "\n")
    assert request.language == "python"


def test_rows_tell_ranks_and_by_how_much_the_best_arm_is_better() -> None:
    ranks = dict(zip(ARMS, (None, 4, 6, 2, 1, 2, 1), strict=True))
    listed = [Listed(arm, True, rank, 10.0) for arm, rank in ranks.items()]
    rows = {(row.arm, row.slice): row.metrics for row in rows_of(listed, 0)}
    assert rows["lance_related", "token"]["accuracy_at_1"].value == 1
    assert rows["menu", "token"]["mrr"].value == 0.5
    assert rows["lexical", "token"]["hit_at_5"].value == 0
    assert rows["model", "token attribute"]["listed"].value == 0
    assert rows["lance_related - jedi", "token"]["mrr"].value == 0.75
    assert ("lance_related", "token name") not in rows
    in_java = [one for one in listed if one.arm != "jedi"]
    assert {row.arm for row in rows_of(in_java, 0)} == {
        arm for arm, _ in rows if not arm.endswith("jedi")
    }

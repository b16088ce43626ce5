"""How the languages spell a declaration: types of nodes of their grammars, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from tree_sitter import Language

from retrieval.grammars import GO, JAVA, PYTHON, TSX, TYPESCRIPT
from retrieval.index.declarations import Kind


@dataclass(frozen=True, slots=True)
class Spelling:
    """`kinds` says what nodes declare, by type; declarations stand in nodes of the types `through`
    and of the `members` of a class. A node in `by_value` is what its value is, a function above
    all."""

    kinds: Mapping[str, Kind]
    through: frozenset[str]
    members: str = "body"
    by_value: frozenset[str] = frozenset()


SCRIPT = Spelling(
    kinds={
        "class_declaration": Kind.CLASS,
        "abstract_class_declaration": Kind.CLASS,
        "interface_declaration": Kind.CLASS,
        "enum_declaration": Kind.CLASS,
        "type_alias_declaration": Kind.CLASS,
        "internal_module": Kind.CLASS,
        "function_declaration": Kind.FUNCTION,
        "generator_function_declaration": Kind.FUNCTION,
        "function_signature": Kind.FUNCTION,
        "method_definition": Kind.METHOD,
        "method_signature": Kind.METHOD,
        "abstract_method_signature": Kind.METHOD,
        "variable_declarator": Kind.VARIABLE,
        "public_field_definition": Kind.VARIABLE,
        "property_signature": Kind.VARIABLE,
        "enum_assignment": Kind.VARIABLE,
        "assignment_expression": Kind.VARIABLE,  # to exports
    },
    through=frozenset(
        {
            *("export_statement", "lexical_declaration", "variable_declaration"),
            *("ambient_declaration", "expression_statement", "module", "statement_block"),
        }
    ),
    by_value=frozenset({"variable_declarator", "public_field_definition", "assignment_expression"}),
)
COMMENTS = frozenset({"comment", "line_comment", "block_comment"})  # in any language
FUNCTION_VALUES = frozenset({"arrow_function", "function_expression", "generator_function"})
CLASS_VALUES = frozenset({"class"})

SPELLINGS: Mapping[Language, Spelling] = {
    PYTHON: Spelling(
        kinds={
            "class_definition": Kind.CLASS,
            "function_definition": Kind.FUNCTION,
            "assignment": Kind.VARIABLE,
            "type_alias_statement": Kind.CLASS,
        },
        through=frozenset(
            {
                *("decorated_definition", "expression_statement", "block", "if_statement"),
                *("elif_clause", "else_clause", "try_statement", "except_clause"),
                *("finally_clause", "with_statement", "for_statement", "while_statement"),
                *("match_statement", "case_clause"),
            }
        ),
    ),
    TYPESCRIPT: SCRIPT,
    TSX: SCRIPT,
    GO: Spelling(
        kinds={
            "type_spec": Kind.CLASS,
            "type_alias": Kind.CLASS,
            "function_declaration": Kind.FUNCTION,
            "method_declaration": Kind.METHOD,
            "method_elem": Kind.METHOD,
            "field_declaration": Kind.VARIABLE,
            "const_spec": Kind.VARIABLE,
            "var_spec": Kind.VARIABLE,
        },
        through=frozenset(
            {
                *("const_declaration", "var_declaration", "var_spec_list", "type_declaration"),
                "field_declaration_list",
            }
        ),
        members="type",
    ),
    JAVA: Spelling(
        kinds={
            "class_declaration": Kind.CLASS,
            "interface_declaration": Kind.CLASS,
            "enum_declaration": Kind.CLASS,
            "record_declaration": Kind.CLASS,
            "annotation_type_declaration": Kind.CLASS,
            "method_declaration": Kind.METHOD,
            "constructor_declaration": Kind.METHOD,
            "annotation_type_element_declaration": Kind.METHOD,
            "variable_declarator": Kind.VARIABLE,
            "enum_constant": Kind.VARIABLE,
        },
        through=frozenset({"field_declaration", "constant_declaration", "enum_body_declarations"}),
    ),
}

from scripts.lib.markdown_table import markdown_table


def test_columns_of_numbers_are_aligned_right():
    lines = markdown_table(["name", "value"], [["a", "1"]], right=[1])
    assert lines == ["| name | value |", "| --- | ---: |", "| a | 1 |"]


def test_aligned_cells_line_up():
    lines = markdown_table(["name", "value"], [["a", "1"], ["longer", "123456"]], right=[1], aligned=True)
    assert lines == [
        "| name   |  value |",
        "| ------ | -----: |",
        "| a      |      1 |",
        "| longer | 123456 |",
    ]


def test_a_table_without_rows_has_header_and_rule():
    assert markdown_table(["a"], []) == ["| a |", "| --- |"]

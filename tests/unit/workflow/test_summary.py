"""What is printed when a run is over."""

from pathlib import Path

import pytest

from scripts.workflow.summary import closing, main, note_results


def test_files_and_paths_of_the_last_runs_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["closing", "tables/main.md"])
    results = tmp_path / "else where"
    (results / "tables").mkdir(parents=True)
    (results / "tables" / "main.md").write_text("| model |\n", encoding="utf-8")
    main()
    assert capsys.readouterr().out == ""
    note_results("else where")
    main()
    assert capsys.readouterr().out == "| model |\n\ntables:  else where/tables\n"


def test_only_what_is_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    assert closing(tmp_path, ["tables/main.md"]) == f"report:  {tmp_path}/report.html"

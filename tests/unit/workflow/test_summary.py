"""What is printed at the end of a run."""

from pathlib import Path

import pytest

from scripts.workflow.summary import main, record_results_dir, summary


def test_files_and_paths_of_the_last_run_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["summary", "tables/main.md"])
    results = tmp_path / "else where"
    (results / "tables").mkdir(parents=True)
    (results / "tables" / "main.md").write_text("| model |\n", encoding="utf-8")
    main()
    assert capsys.readouterr().out == ""
    record_results_dir("else where")
    main()
    assert capsys.readouterr().out == "| model |\n\ntables:  else where/tables\n"


def test_missing_results_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    assert summary(tmp_path, ["tables/main.md"]) == f"report:  {tmp_path}/report.html"

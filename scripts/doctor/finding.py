"""One line of the doctor's report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it must be, what is there (with its version), and the remedy if not.

    `needed` says whether the default run on this machine lacks something without it.
    """

    what: str
    good: bool
    there: str
    remedy: str = ""
    needed: bool = True

    def line(self) -> str:
        """The finding as a line of text."""
        mark = "ok" if self.good else "MISSING" if self.needed else "-"
        return f"  {mark:8} {self.what:24} {self.there}" + (f"  ->  {self.remedy}" if self.remedy else "")

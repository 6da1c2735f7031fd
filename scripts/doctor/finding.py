"""One line of the doctor's report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One checked component.

    name: the component. ok: whether it is as required. state: its version, or what is wrong.
    remedy: how to fix it. required: whether the default run on this machine needs it.
    """

    name: str
    ok: bool
    state: str
    remedy: str = ""
    required: bool = True

    @property
    def is_problem(self) -> bool:
        """Whether the default run needs the component and it is not as required."""
        return self.required and not self.ok

    def line(self) -> str:
        """The finding as a line of text."""
        mark = "ok" if self.ok else "PROBLEM" if self.required else "-"
        return f"  {mark:8} {self.name:24} {self.state}" + (f"  ->  {self.remedy}" if self.remedy else "")

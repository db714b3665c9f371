"""Other programs: the one door through which they are run."""

from shipworthy.tools.command import Completed, Tool, Toolbox, ToolFailed, ToolMissing

__all__ = ["Completed", "Tool", "ToolFailed", "ToolMissing", "Toolbox"]

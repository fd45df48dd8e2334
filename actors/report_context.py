"""What an arm of the reducer is told beside the state, and how it says no."""

from msgspec import Struct

from transport.frame_fault import FrameFault
from transport.messages import Origin


class ReportContext(Struct, frozen=True):
    """What an arm of the reducer may know beside the state.

    Attributes:
        origin: of the events it makes.
        saga_id: the open saga whose pending step this report settles, or None.
    """

    origin: Origin
    saga_id: int | None


class Contradiction(Exception):  # noqa: N818 - it is what the report does, not what fails here
    """A report says what cannot be, so its frame is refused.

    Attributes:
        fault: the kind it is counted as.
    """

    def __init__(self, detail: str, fault: FrameFault = FrameFault.CONTRADICTION) -> None:
        super().__init__(detail)
        self.fault = fault

"""Supervision for Pykka actors, with OTP's rules; it knows nothing of sagas.

`docs/supervision.md` is the page to begin with. Processes are supervised by the same rules in
`actors.supervision.process_supervisor`.
"""

from actors.supervision.actor_pending import StartFailedError
from actors.supervision.actor_supervise import SupervisorHandle, supervise
from actors.supervision.actor_timers import ActorTimers
from actors.supervision.actor_tree import TreeNode
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    ExitKind,
    ExitReason,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.dead_letters import DeadLetter, DeadLetterCause, DeadLetters
from actors.supervision.fan_out import FanOut, fan_out
from actors.supervision.handle import Handle
from actors.supervision.mailbox_options import (
    Bound,
    Mail,
    MailboxFullError,
    MailOptions,
    Overflow,
)
from actors.supervision.stuck_actors import StuckBudget
from actors.supervision.supervisor import Supervisor
from actors.supervision.watch import Terminated, unwatch, watch

__all__ = [
    "ActorTimers",
    "AutoShutdown",
    "Backoff",
    "Bound",
    "ChildSpec",
    "DeadLetter",
    "DeadLetterCause",
    "DeadLetters",
    "ExitKind",
    "ExitReason",
    "FanOut",
    "Handle",
    "Intensity",
    "Mail",
    "MailOptions",
    "MailboxFullError",
    "Overflow",
    "Restart",
    "StartFailedError",
    "Strategy",
    "StuckBudget",
    "Supervisor",
    "SupervisorHandle",
    "SupervisorSpec",
    "Terminated",
    "TreeNode",
    "Worker",
    "fan_out",
    "supervise",
    "unwatch",
    "watch",
]

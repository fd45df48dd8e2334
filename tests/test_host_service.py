from host_sim.extension import ActionError, HostExtension
from host_sim.host import HostOutcome
from host_sim.service import Service, ServiceSettings
from transport.codec import Codec, as_map, decode, encode, family
from transport.message_types import CORE, UP, MessageTypes
from transport.messages import (
    Command,
    CommandIdentity,
    Commands,
    Fenced,
    Goodbye,
    Message,
    Refused,
    Register,
    Registered,
    Report,
    ReportActionFailed,
    Reports,
)

EPOCH = "e" * 32
LOG = "1" * 32


class Bill(Command, frozen=True, kw_only=True):
    outcomes = ("ReportBilled",)
    cents: int


class ReportBilled(Report, frozen=True, kw_only=True):
    cents: int


def bill(command: Command) -> list[Report]:
    assert isinstance(command, Bill)
    if command.cents < 0:
        msg = "nothing to bill"
        raise ActionError(msg)
    return [ReportBilled(cents=command.cents)]


CODEC = Codec(CORE.extended(MessageTypes(commands=(Bill,), reports=(ReportBilled,))))


def a_service() -> Service:
    service = Service(
        ServiceSettings("billing"),
        epoch=EPOCH,
        codec=CODEC,
        extension=HostExtension({Bill: bill}),
    )
    service.connected(0)
    return service


def said(service: Service) -> list[Message]:
    service.advance(0)
    return [decode(frame, family(UP)) for frame in service.link_outgoing()]


def accept(service: Service) -> None:
    service.link_outgoing()
    answer = Registered(log=LOG, epoch="f" * 32, taken=0, low_water=1, heartbeat_ms=1000)
    service.receive_link([encode(answer)], 0)


def command(saga_id: int, cents: int) -> bytes:
    return encode(
        Commands(commands=[as_map(Bill(identity=CommandIdentity(LOG, saga_id, 0), cents=cents))])
    )


def reported(service: Service) -> list[Report]:
    reports: list[Report] = []
    for message in said(service):
        assert isinstance(message, Reports)
        reports.extend(CODEC.decode_reports(message.reports))
    return reports


def test_a_service_registers_for_the_commands_that_it_has_handlers_for() -> None:
    (register,) = said(a_service())
    assert isinstance(register, Register)
    assert (register.role, register.serves, register.pool_target) == ("service", ("Bill",), 0)


def test_a_service_settles_its_commands_and_answers_repetitions_alike() -> None:
    service = a_service()
    accept(service)
    service.receive_link([command(1, 30), command(2, -1)], 0)
    first = reported(service)
    assert first == [
        ReportBilled(identity=CommandIdentity(LOG, 1, 0), cents=30),
        ReportActionFailed(identity=CommandIdentity(LOG, 2, 0), reason="nothing to bill"),
    ]
    service.receive_link([command(2, -1), command(1, 30)], 0)
    assert reported(service) == first[::-1]
    assert service.state()["last_report"] == 2


def test_a_service_that_is_refused_says_why_and_tries_again() -> None:
    service = a_service()
    service.link_outgoing()
    refusal = Refused(fault="service_taken", detail="Bill is served by other")
    service.receive_link([encode(refusal)], 0)
    assert service.state()["refused"] == "service_taken: Bill is served by other"
    service.advance(1_000_000_000)
    assert len(service.link_outgoing()) == 1


def test_a_service_leaves_in_order_or_is_fenced() -> None:
    service = a_service()
    accept(service)
    service.stop(0)
    assert said(service) == [Goodbye()]
    assert service.outcome is HostOutcome.LEFT
    other = a_service()
    accept(other)
    other.receive_link([encode(Fenced(by="d" * 32))], 0)
    assert other.outcome is HostOutcome.FENCED

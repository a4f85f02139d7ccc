"""The worker: claims attempts, has them dialed, renews their leases, reports what they came to."""

import asyncio
import logging
import signal
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import grpc
from grpc.aio import AioRpcError

from callhopper.call import Call, NotDialed, Outcome, Result, clock
from callhopper.channel import open_channel
from callhopper.leases import Leases
from callhopper.pacing import Backoff, happened, retry_delay
from callhopper.reporter import RPC_SECONDS, Reporter, Stats, answer_name, lease_of
from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import dialer_service_pb2_grpc as rpc

log = logging.getLogger("callhopper.worker")

Dial = Callable[[Call], Awaitable[Result | Outcome]]

_MOST_CLAIMED: Final = 500
_SHORTEST_POLL: Final = 0.05  # seconds between empty claims, whatever the server says
_LAST_WORD_SECONDS: Final = 1.0  # for the answer to an open poll when nobody wants to wait
_REMEMBERED: Final = 10_000  # attempt ids, many times what a repeated claim can deliver again

# Nothing was claimed, and asking again would not help.
_REFUSALS: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


class Worker:
    """Dials what the server has due, at most `concurrency` calls at once, until it is stopped.

    `dial` is called once for each attempt, with the permission to dial it stored on the server,
    and never after the lease has ended by this machine's monotonic clock; its wall clock decides
    nothing. What it returns is reported, again and again until the server's answer is definite.

    When `dial` fails:

    * `NotDialed` says that no phone can have rung. It is reported as NOT_DIALED, which costs the
      contact nothing: the entry is due again in 10 seconds.
    * Any other exception says nothing about the phone. A report would be a guess: NOT_DIALED
      might ring a person again who is on the line, NO_ANSWER might be untrue. So nothing is
      reported and the lease is no longer renewed. It ends, the server takes the outcome as
      UNKNOWN, and holds person and number until no call can be left. The exception is logged.

    Cancelling a dial function (at the end of a drain) is taken like any other exception.

    Args:
        dial: Places one call and returns when it has ended.
        address: `host:port` of the server, or any gRPC target.
        campaigns: `campaigns/{id}`; empty for all that run.
        concurrency: Most calls at once.
        batch: Most attempts in one claim, up to 500.
        lease: How long the server holds a call for a silent worker, 1 second to 10 minutes.
            Renewed three times as often.
        wait: How long a claim waits for work, up to 55 seconds.
        begin_on_claim: Have attempts begun by the claim: one RPC less for each. If this worker
            dies between claim and dialing, such attempts end as UNKNOWN; without, they are
            released.
        guard: How long before its end a lease counts as ended; a tenth of it, at most 2 seconds.
        drain: How long running calls may go on once stopped.
        give_up_after: How long after its end a call is still reported.
        worker_id: Unique for each process; a new UUID when not given.
        credentials: For TLS; plaintext without.
        handle_signals: Drain on SIGTERM and SIGINT; a second one does not wait for calls.
    """

    def __init__(
        self,
        *,
        dial: Dial,
        address: str = "localhost:50051",
        campaigns: Iterable[str] = (),
        concurrency: int = 50,
        batch: int = 100,
        lease: timedelta = timedelta(seconds=60),
        wait: timedelta = timedelta(seconds=50),
        begin_on_claim: bool = True,
        guard: timedelta | None = None,
        drain: timedelta = timedelta(minutes=5),
        give_up_after: timedelta = timedelta(hours=1),
        worker_id: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        handle_signals: bool = False,
    ) -> None:
        if concurrency < 1 or not 1 <= batch <= _MOST_CLAIMED:
            raise ValueError("concurrency is at least 1, and batch 1 to 500")
        self.worker_id = worker_id or str(uuid.uuid4())
        self.stats = Stats()
        self._dial = dial
        self._address = address
        self._campaigns = tuple(campaigns)
        self._concurrency = concurrency
        self._batch = batch
        self._lease = lease
        self._wait = wait
        self._begin_on_claim = begin_on_claim
        self._guard = min(lease.total_seconds() / 10, 2.0)
        if guard is not None:
            self._guard = guard.total_seconds()
        self._drain_seconds = drain.total_seconds()
        self._give_up_seconds = give_up_after.total_seconds()
        self._credentials = credentials
        self._handle_signals = handle_signals

        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()
        self._slot_freed = asyncio.Event()
        self._held: dict[str, Call] = {}  # claimed, begun or live: what takes a slot
        self._delivered: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()  # what begins, dials or gives back
        self._poll_interval = 0.0
        self._failure: AioRpcError | None = None
        self._leases: Leases
        self._stub: rpc.DialerServiceAsyncStub
        self._reporter: Reporter
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        """Work until `stop`, then drain. A worker runs once.

        Raises:
            AioRpcError: The server refuses to let this worker claim (a wrong campaign, say); what
                was under way is drained first.
        """
        async with open_channel(self._address, credentials=self._credentials) as channel:
            self._stub = rpc.DialerServiceStub(channel)
            self._reporter = Reporter(self._stub, self.stats, self._give_up_seconds)
            self._leases = Leases(self._stub, self.stats, self._lease, self._guard)
            signals = self._listen_for_signals()
            try:
                await self._work()
            finally:
                for number in signals:
                    asyncio.get_running_loop().remove_signal_handler(number)
        if self._failure is not None:
            raise self._failure

    def stop(self, *, hurry: bool = False) -> None:
        """Drain: claim nothing more, let calls end, report them, then let `run` return.

        Args:
            hurry: Do not wait for calls, whose outcomes then are UNKNOWN; report what has ended
                with one try.
        """
        self._stopping.set()
        self._slot_freed.set()
        if hurry:
            self._hurrying.set()

    def _listen_for_signals(self) -> Sequence[signal.Signals]:
        if not self._handle_signals:
            return ()
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, lambda: self.stop(hurry=self._stopping.is_set()))
        return signals

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as self._group:
            beating = self._group.create_task(self._leases.beat())
            renewing = self._group.create_task(self._leases.renew())
            reporting = self._group.create_task(self._reporter.run())
            claiming = self._group.create_task(self._claim())
            await self._stopping.wait()
            await self._stop_worker()
            await self._end_claim(claiming)
            await self._end_calls()
            renewing.cancel()
            beating.cancel()
            hurrying = self._group.create_task(self._hurry_reports())
            self._reporter.flush()
            await reporting
            hurrying.cancel()

    # ------------------------------------------------------------------------------ claiming

    async def _claim(self) -> None:
        """Claim for the free slots, one claim at a time, until stopped or refused."""
        try:
            while free := await self._free_slots():
                response = await self._claim_once(free)
                if response is None:
                    break
                self.stats.claims += 1
                self._poll_interval = response.poll_interval.ToTimedelta().total_seconds()
                if response.attempts:
                    self._take(response.attempts)
                else:
                    await happened(self._stopping, within=max(self._poll_interval, _SHORTEST_POLL))
        except AioRpcError as error:
            log.error("the server refuses claims: %s", error.code().name)  # noqa: TRY400
            self._failure = error
            self.stop()

    async def _free_slots(self) -> int:
        """Wait for a free slot; return how many there are for one claim, 0 once stopping."""
        while not self._stopping.is_set():
            free = self._concurrency - len(self._held)
            if free > 0:
                return min(free, self._batch)
            self._slot_freed.clear()
            await self._slot_freed.wait()
        return 0

    async def _claim_once(self, attempts: int) -> pb.ClaimAttemptsResponse | None:
        """Send one claim until it is answered; None when that failed during a drain.

        A lost answer is asked for again under the same request id: the attempts that it held are
        leased to this worker, and begun ones would otherwise end as UNKNOWN without having rung.
        """
        request = pb.ClaimAttemptsRequest(
            worker_id=self.worker_id,
            request_id=str(uuid.uuid4()),
            campaigns=self._campaigns,
            max_attempts=attempts,
            lease_duration=self._lease,
            begin=self._begin_on_claim,
            wait_duration=self._wait,
        )
        backoff = Backoff()
        last_try: float | None = None
        while True:
            try:
                # Not wait_for_ready: it would use up the deadline that the server's wait fits in.
                return await self._stub.ClaimAttempts(
                    request, timeout=self._wait.total_seconds() + RPC_SECONDS
                )
            except AioRpcError as error:
                if error.code() in _REFUSALS:
                    raise
                self._note_retry("ClaimAttempts", error)
                pause = next(backoff)
                if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                    pause = retry_delay(error) or max(pause, self._poll_interval)
            if await happened(self._stopping, within=pause):
                last_try = last_try or clock() + RPC_SECONDS
                if self._hurrying.is_set() or clock() > last_try:
                    return None
                await asyncio.sleep(min(pause, 1.0))

    def _take(self, attempts: Iterable[pb.ClaimedAttempt]) -> None:
        """Give claimed attempts a slot each, those that were not delivered before."""
        calls: list[Call] = []
        begun: list[Call] = []
        for attempt in attempts:
            if attempt.attempt_id in self._delivered:
                self.stats.replayed += 1
                continue
            self._delivered[attempt.attempt_id] = None
            call = Call.from_claim(attempt, self._leases.claimed(attempt))
            self._held[call.attempt_id] = call
            (begun if attempt.begun else calls).append(call)
        while len(self._delivered) > _REMEMBERED:
            self._delivered.popitem(last=False)
        self.stats.claimed += len(calls) + len(begun)
        self._claimed(calls + begun)
        for call in begun:
            self._spawn(self._make(call))
        if calls:
            self._spawn(self._begin(calls))

    def _claimed(self, calls: Sequence[Call]) -> None:
        """Do nothing: a place for the simulation to die at."""

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------ dialing

    async def _begin(self, calls: Sequence[Call]) -> None:
        """Ask for the permission to dial, as long as the leases last, and dial what is begun."""
        backoff = Backoff()
        unbegun: list[Call] = []
        response: pb.BeginAttemptsResponse | None = None
        while response is None:
            now = clock()
            expired = [call for call in calls if call.deadline <= now]
            self.stats.expired += len(expired)
            unbegun += expired
            calls = [call for call in calls if call.deadline > now]
            if not calls or self._stopping.is_set():
                break
            request = pb.BeginAttemptsRequest(
                leases=[lease_of(call) for call in calls], lease_duration=self._lease
            )
            left = min(call.deadline for call in calls) - now
            try:
                response = await self._stub.BeginAttempts(request, timeout=min(left, RPC_SECONDS))
            except AioRpcError as error:
                self._note_retry("BeginAttempts", error)
                if error.code() in _REFUSALS:
                    break
                await happened(self._stopping, within=next(backoff))
        results = {result.attempt_id: result for result in response.results} if response else {}
        for call in calls:
            result = results.get(call.attempt_id)
            if result is None:
                unbegun.append(call)
            elif result.answer == pb.BeginResult.ANSWER_BEGUN:
                self._leases.extend(call, result.lease_duration.ToTimedelta(), asked=now)
                self._spawn(self._make(call))
            else:
                self.stats.refused += 1
                answer = answer_name(pb.BeginResult.Answer, result.answer)
                log.info("attempt %s is not begun: %s", call.attempt_id, answer)
                self._free(call)
        if unbegun:
            await self._give_back(unbegun)

    async def _make(self, call: Call) -> None:
        """Have one begun call dialed, and keep what it came to for the report."""
        result: Result | None = None
        try:
            if not call.may_be_dialed or self._hurrying.is_set():
                self.stats.expired += 1
                result = Result(Outcome.NOT_DIALED, cause="lease ended before dialing")
                return
            self.stats.dialed += 1
            self._leases.hold(call)
            said = await self._dial(call)
            result = said if isinstance(said, Result) else Result(Outcome(said))
        except NotDialed as error:
            result = Result(Outcome.NOT_DIALED, cause=str(error))
        except Exception:
            log.exception("attempt %s: the outcome is not known", call.attempt_id)
        finally:
            self._leases.drop(call)
            self._free(call)
            if result is None:
                self.stats.unknown += 1
            else:
                self._reporter.add(call, result)

    def _free(self, call: Call) -> None:
        self._held.pop(call.attempt_id, None)
        self._slot_freed.set()

    async def _give_back(self, calls: Sequence[Call]) -> None:
        """Release what was not dialed; what the server has begun is reported as NOT_DIALED."""
        request = pb.ReleaseAttemptsRequest(leases=[lease_of(call) for call in calls])
        backoff = Backoff()
        last_try = clock() + self._lease.total_seconds()
        response: pb.ReleaseAttemptsResponse | None = None
        while response is None and clock() < last_try:
            try:
                response = await self._stub.ReleaseAttempts(request, timeout=RPC_SECONDS)
            except AioRpcError as error:
                self._note_retry("ReleaseAttempts", error)
                if error.code() in _REFUSALS or await happened(
                    self._hurrying, within=next(backoff)
                ):
                    break
        answers = (
            {result.attempt_id: result.answer for result in response.results} if response else {}
        )
        for call in calls:
            answer = answers.get(call.attempt_id)
            if answer == pb.ReleaseResult.ANSWER_BEGUN:
                self._reporter.add(call, Result(Outcome.NOT_DIALED, cause="begin was not answered"))
            elif answer == pb.ReleaseResult.ANSWER_RELEASED:
                self.stats.released += 1
            self._free(call)

    # ------------------------------------------------------------------------------ draining

    async def _stop_worker(self) -> None:
        """Tell the server to answer the open poll, on whichever server it waits."""
        request = pb.StopWorkerRequest(worker_id=self.worker_id)
        backoff = Backoff()
        last_try = clock() + RPC_SECONDS
        while clock() < last_try:
            try:
                await self._stub.StopWorker(request, timeout=RPC_SECONDS)
            except AioRpcError as error:
                self._note_retry("StopWorker", error)
                if error.code() in _REFUSALS or await happened(
                    self._hurrying, within=next(backoff)
                ):
                    return
            else:
                return

    async def _end_claim(self, claiming: asyncio.Task[None]) -> None:
        """Await the open poll: cancelling it could lose attempts that are on their way here."""
        await self._ended({claiming}, within=self._wait.total_seconds() + 2 * RPC_SECONDS)
        await asyncio.wait({claiming}, timeout=_LAST_WORD_SECONDS)
        claiming.cancel()

    async def _end_calls(self) -> None:
        """Wait for what is under way, and end what takes too long."""
        await self._ended(self._tasks, within=self._drain_seconds)
        if self._tasks:
            log.warning("%d calls are cut off; their outcomes are not known", len(self._tasks))
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def _ended(self, tasks: set[asyncio.Task[None]], *, within: float) -> None:
        """Wait until tasks are done, and those that they start; not long, when in a hurry."""
        end = clock() + within
        hurrying = asyncio.ensure_future(self._hurrying.wait())
        while (waiting := {task for task in tasks if not task.done()}) and not hurrying.done():
            if (left := end - clock()) <= 0:
                break
            await asyncio.wait(
                {*waiting, hurrying}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
        hurrying.cancel()

    async def _hurry_reports(self) -> None:
        await self._hurrying.wait()
        self._reporter.hurry()

    def _note_retry(self, method: str, error: AioRpcError) -> None:
        self.stats.retries += 1
        log.info("%s failed: %s", method, error.code().name)

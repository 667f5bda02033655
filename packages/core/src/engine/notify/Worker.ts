/**
 * Plans what is owed and delivers it: in a runner, in later commands, or on its own.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isGrouped } from "../../domain/notification/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import type { NotifyError } from "../../spi/NotifyError.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { lastingChanges } from "../log/index.ts"
import { headOf, isUnsettled, settled, withChanges } from "./chains.ts"
import { type Channel, makeChannel } from "./Channel.ts"
import { type Claim, makeClaims } from "./Claims.ts"
import { makePlanner } from "./Planner.ts"
import { makeSender } from "./Sender.ts"
import { foldedAfter, summaryOf } from "./summary.ts"

/** How many streams are planned, and how many deliveries begun in one round: a deployment beside it must not wait. */
const round = 100
const begun = 24
/** How many streams are planned at the same time. */
const planners = 8
/** Without news, it looks again after this time, in ms. */
const idle = 2_000
/**
 * News is dealt with together, once there was none for `quiet`, and after `together` at the latest, in ms: a deployment
 * writes many events in a row, and must not wait for the worker in between.
 */
const quiet = 50
const together = 250
/** What is still to be sent. */
const toSend = ["scheduled", "queued"] as const
/** As long as all channels are away, what is owed is planned so seldom, in ms. */
const unplanned = 30_000
/** The end of time, for questions about what comes next. */
const ever = Number.MAX_SAFE_INTEGER

/** What a flush did, and what it left. */
export interface Flushed {
  readonly sent: number
  readonly failed: number
  readonly isDone: boolean
}

/**
 * A worker.
 *
 * *Details*: `run` works until it is interrupted. `flush` returns once nothing is left to do, or after `patience`; it does not
 * wait for channels that do not answer.
 */
export interface NotifyWorker {
  readonly run: Effect.Effect<never, StoreError>
  readonly flush: (patience: Duration.Duration) => Effect.Effect<Flushed, StoreError>
}

/** What is left of a stream and channel, as of a version of the stream. */
interface Chain {
  readonly rows: ReadonlyArray<DeliveryState>
  readonly version: number
}

/** Makes one. Its claims are returned when the scope closes. */
export const make = Effect.fnUntraced(function* (
  setup: NotificationSetup
): Effect.fn.Return<NotifyWorker, never, DeploymentStore | LeaseStore | Scope.Scope> {
  const store = yield* DeploymentStore
  const { outbox } = store
  const scope = yield* Effect.scope
  const claims = yield* makeClaims
  const channels = new Map(
    Object.keys(setup.settings.channels).map((name) => [name, makeChannel(name, setup)] as const)
  )
  const wake = yield* Queue.sliding<void>(1)
  const ended = yield* Queue.sliding<void>(1)
  /** By channel and stream: what is on its way. */
  const underway = new Map<string, Channel>()
  const own = { deploymentId: setup.deploymentId }
  const planOwed = makePlanner(setup, store)
  const sender = makeSender(setup, yield* Effect.context<DeploymentStore | LeaseStore>())
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeoutOption(claims.returnAll, "1 second")))

  const lastReceipt = (stream: string, channel: string) =>
    Effect.map(
      outbox.deliveries({ stream, channel, statuses: ["sent"], newestFirst: true, limit: 1 }),
      ([last]) => last?.receipt ?? null
    )

  /** Under the claim of the stream, if no other process has it. */
  const claimed = <A, E>(stream: string, body: (claim: Claim) => Effect.Effect<A, E>) =>
    Effect.acquireUseRelease(
      claims.enter(stream),
      (claim) => (claim === undefined ? Effect.undefined : body(claim)),
      (claim) => (claim === undefined ? Effect.void : claims.leave(stream))
    ).pipe(
      Effect.catchIf(
        (error): error is Extract<E, LeaseLost> => (error as { readonly _tag?: string })._tag === "LeaseLost",
        () => Effect.sync(() => claims.forget(stream))
      )
    )

  const planAll = Effect.gen(function* () {
    const owed = yield* outbox.owed({ ...own, limit: round })
    yield* Effect.forEach(
      owed,
      (row) => claimed(row.stream, (claim) => claim.changing.withPermit(planOwed(row, claim))),
      { concurrency: planners, discard: true }
    )
  })

  const unsettled = (stream: string, channel: string) =>
    outbox.deliveries({ stream, channel, statuses: toSend, limit: 10_000 })

  /**
   * Writes what became of a delivery, and returns what is left of its stream and channel. `rows` are read again only if they
   * were planned again since: the less there is between an answer and its record, the less is sent twice by a process that dies.
   */
  const write = (claim: Claim, { rows, version }: Chain, changed: DeliveryState) =>
    claim.changing
      .withPermit(
        Effect.gen(function* () {
          const { channel, stream } = changed
          const current = version === claim.version ? rows : yield* unsettled(stream, channel)
          // It was acknowledged while it was on its way: a failure does not bring it back.
          const isOver = version !== claim.version && current.every(({ id }) => id !== changed.id)
          if (isOver && changed.status !== "sent") return { rows: current, version: claim.version }
          const now = yield* Clock.currentTimeMillis
          const changes = settled(current, [changed], now)
          yield* outbox.write({ guards: [claim.lease], deliveries: changes })
          return { rows: withChanges(current, changes).filter(isUnsettled), version: claim.version }
        })
      )
      .pipe(
        // What was sent has to be recorded: otherwise it is sent again.
        Effect.retry({ times: 20, while: (error) => error._tag === "StoreError" && error.isRetryable })
      )

  /** Delivers what is due of one stream to one channel, in order. Returns whether it did something. */
  const deliver = Effect.fnUntraced(function* (channel: Channel, stream: string, claim: Claim) {
    const { version } = claim
    let chain: Chain = { rows: yield* unsettled(stream, channel.name), version }
    let receipt: DeliveryState["receipt"] | undefined
    for (let tries = 0; ; tries++) {
      const now = yield* Clock.currentTimeMillis
      const row = headOf(chain.rows, channel.name)
      if (row === undefined || row.nextAt > now || channel.freeAt(now) > 0) return tries > 0
      receipt ??= yield* lastReceipt(stream, channel.name)
      const changed = (yield* sender.beforehand(row)) ?? (yield* sender.send(channel, row, receipt))
      if (changed === undefined) return tries > 0
      chain = yield* write(claim, chain, changed)
      receipt = changed.receipt ?? receipt
    }
  })

  /** Sends one message about everything that was folded, once nothing old is left to send. */
  const summarise = Effect.fnUntraced(function* (channel: Channel, claim: Claim) {
    const now = yield* Clock.currentTimeMillis
    const [oldest] = yield* outbox.deliveries({ channel: channel.name, statuses: ["queued"], limit: 1 })
    if (oldest !== undefined && now - oldest.createdAt > foldedAfter) return false
    const open = yield* outbox.due({ ...own, channels: [channel.name], statuses: ["folded"], until: now, limit: 1_000 })
    if (open.length === 0) return false
    const [first] = open
    if (open.length === 1 && isGrouped(first!)) {
      yield* outbox.write({ guards: [claim.lease], deliveries: [{ ...first!, status: "queued", nextAt: now }] })
      return true
    }
    const summary = yield* sender.send(channel, summaryOf(channel.name, open, now), null)
    if (summary?.status !== "sent") return false
    yield* outbox.write({
      guards: [claim.lease],
      deliveries: [summary, ...open.map((row) => ({ ...row, nextAt: 0 }))]
    })
    return true
  })

  const start = (
    channel: Channel,
    stream: string,
    body: (claim: Claim) => Effect.Effect<boolean, LeaseLost | StoreError | NotifyError>
  ) => {
    const key = `${channel.name}\n${stream}`
    if (underway.has(key)) return Effect.succeed(false)
    underway.set(key, channel)
    return claimed(stream, body).pipe(
      Effect.ensuring(Effect.sync(() => underway.delete(key))),
      // What did nothing would only do nothing again at once.
      Effect.tap((didSomething) => (didSomething === true ? Queue.offer(ended, undefined) : Effect.void)),
      // A channel that cannot be opened here, or a store that is away: the rows stay as they are.
      Effect.ignore,
      Effect.forkIn(scope),
      Effect.as(true)
    )
  }

  const startDue = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const free = [...channels.values()].filter((channel) => channel.freeAt(now) === 0).map(({ name }) => name)
    if (free.length === 0) return
    const query = { ...own, until: now, channels: free, limit: begun + underway.size }
    const all = yield* outbox.due(query)
    // What is folded must not hide what is to be sent: it waits for its summary, perhaps for long.
    const isHidden = all.length === query.limit && all.some(({ status }) => status === "folded")
    const due = isHidden ? [...all, ...(yield* outbox.due({ ...query, statuses: toSend }))] : all
    for (const row of due) {
      const channel = channels.get(row.channel)!
      if (channel.freeAt(now) > 0) continue
      const isNew = yield* row.status === "folded"
        ? start(channel, `~${channel.name}`, (claim) => summarise(channel, claim))
        : start(channel, row.stream, (claim) => deliver(channel, row.stream, claim))
      if (isNew) yield* Effect.yieldNow
    }
  })

  const every = (holds: (channel: Channel, now: number) => boolean) =>
    Effect.map(Clock.currentTimeMillis, (now) => [...channels.values()].every((channel) => holds(channel, now)))
  /** What is owed can wait then, and a deployment need not. */
  const isPointless = every((channel, now) => channel.isAway(now))
  const isSilent = every((channel, now) => !channel.answers(now))

  let plannedAt = 0
  const step = Effect.gen(function* () {
    yield* claims.tend
    const now = yield* Clock.currentTimeMillis
    if (!(yield* isPointless) || now - plannedAt > unplanned) {
      plannedAt = now
      yield* planAll
    }
    yield* startDue
  })

  /** Until when nothing is due, at most for a while. */
  const pause = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const query = { ...own, until: ever, channels: [...channels.keys()], statuses: toSend, limit: 1 }
    const [next] = yield* outbox.due(query)
    const free = Math.min(...[...channels.values()].map((channel) => channel.freeAt(now)))
    const at = Math.max(next?.nextAt ?? ever, free)
    return Math.max(20, Math.min(idle, at - now))
  })

  /** Waits for news, for `patience` in ms at most, and meanwhile lets the next delivery follow each that has ended. */
  const news = Effect.fnUntraced(function* (patience: number) {
    const until = (yield* Clock.currentTimeMillis) + patience
    for (;;) {
      const left = Math.max(0, until - (yield* Clock.currentTimeMillis))
      const what = yield* Effect.raceAllFirst([
        Effect.as(Queue.take(wake), "news" as const),
        Effect.as(Queue.take(ended), "ended" as const),
        Effect.as(Effect.sleep(Duration.millis(left)), "nothing" as const)
      ])
      if (what !== "ended") return what === "news"
      yield* startDue
    }
  })

  /** Until no more news arrives. */
  const calm = Effect.gen(function* () {
    const until = (yield* Clock.currentTimeMillis) + together
    for (;;) {
      const left = until - (yield* Clock.currentTimeMillis)
      if (left <= 0 || !(yield* news(Math.min(quiet, left)))) return
    }
  })

  const run: NotifyWorker["run"] = Effect.gen(function* () {
    yield* Effect.forkScoped(Stream.runForEach(lastingChanges(store), () => Queue.offer(wake, undefined)))
    for (;;) {
      yield* calm
      yield* step
      if (yield* isPointless) yield* Effect.raceFirst(Queue.take(ended), Effect.sleep(Duration.millis(idle)))
      else yield* news(yield* pause)
    }
  }).pipe(Effect.scoped)

  const isDone = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if ([...underway.values()].some((channel) => channel.answers(now))) return false
    const answering = [...channels.values()].filter((channel) => channel.answers(now)).map(({ name }) => name)
    const due = yield* outbox.due({ ...own, until: now, channels: answering, limit: 1 })
    return due.length === 0 && (yield* outbox.owed({ ...own, limit: 1 })).length === 0
  })

  const flush: NotifyWorker["flush"] = Effect.fnUntraced(function* (patience) {
    const before = { ...sender.counts }
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(patience)
    for (;;) {
      // Channels that are known to be away are not asked once more.
      const silent = yield* isSilent
      if (!silent) yield* step
      const done = yield* isDone
      if (silent || done || (yield* Clock.currentTimeMillis) >= until) {
        const { failed, sent } = sender.counts
        return { sent: sent - before.sent, failed: failed - before.failed, isDone: done }
      }
      yield* Effect.raceFirst(Queue.take(ended), Effect.sleep("20 millis"))
    }
  })

  return { run, flush }
})

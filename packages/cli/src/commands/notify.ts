/**
 * `notify list retry flush test ack explain`: notifications, and the channels that they go to.
 */
import { instantOf, noticeView } from "@signalbox/core/api/views"
import { messageText } from "@signalbox/core/text"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { word } from "../live/glyphs.ts"
import { type Column, table } from "../live/table.ts"
import { ago, clock, plain } from "../live/words.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { ExitCode } from "../main/ExitCode.ts"
import { signalbox, withServices } from "../main/services.ts"
import { actor } from "../request/actor.ts"
import { checkedNotifications, ownDeployment } from "../request/notifications.ts"
import * as Target from "../request/target.ts"
import { by, count, execution, option, reason, span } from "./flags.ts"

type Notice = ReturnType<typeof noticeView>

/** What is wrong with the configuration is an error here, not a warning as in the background. */
const withNotices = <A, E, R>(inv: Invocation, body: Effect.Effect<A, E, R>) =>
  Effect.andThen(checkedNotifications(inv), withServices(inv, body))

const notices = Effect.map(signalbox, (box) => box.notices)

const columns = (now: number): ReadonlyArray<Column<Notice>> => [
  { title: "ID", cell: ({ id }) => id.slice(0, 8) },
  { title: "CHANNEL", cell: ({ channel }) => channel },
  { title: "STATUS", cell: ({ status }) => word(status), style: ({ status }) => (status === "dead" ? "red" : "dim") },
  { title: "AT", cell: ({ at }) => ago(at.getTime(), now), drop: 2 },
  { title: "TRIED", cell: ({ attempts }) => String(attempts), drop: 1 },
  { title: "NOTIFICATION", cell: ({ title }) => plain(title), wrap: true },
  { title: "ERROR", cell: ({ error }) => plain(error?.message ?? ""), style: () => "red", wrap: true }
]

const lines = (inv: Invocation, all: ReadonlyArray<Notice>, now: number, none: string): ReadonlyArray<string> =>
  all.length === 0 ? [none] : table(all, columns(now), { width: inv.host.stdout.columns(), paint: inv.paint })

const unattended = (since: number | undefined, now: number): ReadonlyArray<string> =>
  since === undefined
    ? []
    : [
        `Notifications wait since ${clock(since)} (${ago(since, now)}): no process has sent them`,
        "next:  signalbox notify flush"
      ]

const list = Command.make(
  "list",
  {
    dead: option("dead", "Only notifications that were given up"),
    all: option("all", "Also notifications that were sent"),
    allDeployments: option("all-deployments", "Of all deployments in a shared store, not only of the folder's own"),
    channel: Flag.String("channel").pipe(
      Flag.optional,
      Flag.withMetavar("name"),
      Flag.withDescription("Only notifications of one channel")
    ),
    limit: count("limit", 1, 1_000, "How many at most").pipe(Flag.withDefault(50))
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const box = yield* notices
        const deploymentId = flags.allDeployments ? undefined : yield* ownDeployment(inv)
        const found = yield* box.list({
          deploymentId,
          newestFirst: true,
          limit: flags.limit,
          ...(flags.dead ? { statuses: ["dead"] } : flags.all ? {} : { statuses: ["scheduled", "queued", "dead"] }),
          ...(Option.isSome(flags.channel) ? { channel: flags.channel.value } : {})
        })
        const since = yield* box.unattendedSince(deploymentId)
        const now = yield* Clock.currentTimeMillis
        const shown = found.map(noticeView)
        yield* inv.result(
          { notifications: shown, unattendedSince: since === undefined ? null : instantOf(since) },
          () => [...lines(inv, shown, now, "No notification waits or was given up."), ...unattended(since, now)]
        )
      })
    )
  })
).pipe(Command.withDescription("List notifications that wait or were given up"))

const id = Argument.String("id").pipe(Argument.withDescription("Notification, as notify list shows it"))
const idOrLink = Argument.String("id").pipe(
  Argument.withDescription("Notification, as notify list shows it, or the link that came with it")
)

/** The first characters of an id are enough. */
const whole = Effect.fnUntraced(function* (given: string) {
  if (given.length >= 32 || given.startsWith("http")) return given
  const found = yield* (yield* notices).list({ newestFirst: true, limit: 10_000 })
  const all = found.filter((row) => row.id.startsWith(given))
  return all.length === 1 ? all[0]!.id : given
})

const retry = Command.make(
  "retry",
  { id: id.pipe(Argument.optional) },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withNotices(
      inv,
      Effect.gen(function* () {
        const box = yield* notices
        const given = Option.getOrUndefined(flags.id)
        const queued = yield* box.retry(given === undefined ? undefined : yield* whole(given))
        const { sent } = yield* box.flush(Duration.seconds(30))
        const now = yield* Clock.currentTimeMillis
        yield* inv.result({ retried: queued.map(noticeView), sent }, () =>
          queued.length === 0
            ? ["No notification was given up."]
            : [...lines(inv, queued.map(noticeView), now, ""), `${sent} sent`]
        )
      })
    )
  })
).pipe(Command.withDescription("Send notifications again that were given up: one, or all"))

const flush = Command.make(
  "flush",
  {
    watch: option("watch", "Go on until it is interrupted"),
    dryRun: option("dry-run", "Show what would be sent where, and which route says so; send nothing"),
    timeout: span("timeout", 0, 3_600_000, "How long to wait at most (30s)").pipe(Flag.withDefault(30_000))
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withNotices(
      inv,
      Effect.gen(function* () {
        const box = yield* notices
        if (flags.dryRun) {
          const shown = (yield* box.preview).map(noticeView)
          return yield* inv.result({ notifications: shown }, () =>
            shown.length === 0
              ? ["Nothing is to be sent."]
              : shown.map(({ channel, title, why }) => `${channel} (${why}): ${plain(title)}`)
          )
        }
        if (flags.watch) {
          yield* inv.say("Notifications are sent until this is interrupted.")
          return yield* box.watch
        }
        const { failed, isDone, sent } = yield* box.flush(Duration.millis(flags.timeout))
        const deploymentId = yield* ownDeployment(inv)
        const left = yield* box.list({ deploymentId, statuses: ["queued"], limit: 1_000 })
        yield* inv.result({ sent, failed, isDone, waiting: left.length }, () => [
          `${sent} sent, ${failed} failed, ${left.length} waiting`,
          ...(failed > 0 || left.length > 0 ? [`next:  ${inv.paint("cyan", "signalbox notify list")}`] : [])
        ])
        if (failed > 0 || left.length > 0) yield* inv.exit(ExitCode.unavailable)
      })
    )
  })
).pipe(Command.withDescription("Send what is owed now"))

const test = Command.make(
  "test",
  {
    channel: Argument.String("channel").pipe(Argument.withDescription("Channel, as the configuration names it")),
    dryRun: option("dry-run", "Show what would be sent, and send nothing"),
    by
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withNotices(
      inv,
      Effect.gen(function* () {
        const box = yield* notices
        const { channel, dryRun } = flags
        const { receipt, rendered } = yield* box.test(channel, { by: actor(inv, flags.by), send: !dryRun })
        yield* inv.result({ channel, sent: !dryRun, rendered, receipt }, () =>
          dryRun
            ? JSON.stringify(rendered, null, 2).split("\n")
            : [`${inv.paint("green", "✔")} a test was sent to ${channel}`]
        )
      })
    )
  })
).pipe(Command.withDescription("Send a test notification to a channel"))

const ack = Command.make(
  "ack",
  { id: idOrLink, by, reason },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withNotices(
      inv,
      Effect.gen(function* () {
        const box = yield* notices
        const who = actor(inv, flags.by)
        const given = Option.getOrUndefined(flags.reason)
        const found = yield* box.acknowledge(yield* whole(flags.id), {
          by: who,
          ...(given === undefined ? {} : { reason: given })
        })
        const shown = noticeView(found)
        yield* inv.result({ acknowledged: shown, by: who }, () => [
          `${inv.paint("green", "✔")} acknowledged by ${plain(who)}: ${plain(shown.title)}`
        ])
      })
    )
  })
).pipe(Command.withDescription("Acknowledge a notification: it escalates no further"))

const explain = Command.make(
  "explain",
  { id: execution },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withNotices(
      inv,
      Effect.gen(function* () {
        const { correlationId } = yield* Target.execution(inv, Option.getOrUndefined(flags.id), { last: true })
        const all = yield* (yield* notices).explain(correlationId)
        const shown = all.map(({ afterMs, channel, delivery, message, why }) => ({
          at: instantOf(message.at),
          kind: message.facts.kind,
          severity: message.severity,
          title: messageText(message).title,
          channel,
          why,
          afterMs,
          status: delivery?.status ?? null,
          id: delivery?.id ?? null
        }))
        yield* inv.result({ correlationId, notifications: shown }, () =>
          shown.map(
            ({ at, channel, kind, status, why }) =>
              `${clock(at.getTime())} ${word(kind)}: ${channel === null ? "to no channel" : `to ${channel}`} (${why})${status === null ? "" : `, ${word(status)}`}`
          )
        )
      })
    )
  })
).pipe(Command.withDescription("Show which notifications follow from an execution, where each goes, and why"))

export const notify = Command.make("notify").pipe(
  Command.withDescription("Notifications: list, retry, flush, test, acknowledge, explain"),
  Command.withSubcommands([list, retry, flush, test, ack, explain])
)

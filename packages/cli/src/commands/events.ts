import { eventView } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { DeploymentId, EventTag, StoredEvent } from "@signalbox/core/spi"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { schemas } from "../json/schemas.ts"
import { sentence } from "../live/transition.ts"
import { clock, plain } from "../live/words.ts"
import { signalbox, withServices } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { eventTags } from "./choices.ts"
import { count, execution, option, text } from "./flags.ts"

const line = (stored: StoredEvent): string =>
  `${clock(stored.at)}  ${String(stored.seq).padStart(4)}  ${stored.event._tag}  ${plain(sentence(stored) ?? "")}`.trimEnd()

const matches =
  (tag: Option.Option<EventTag>, wanted: Option.Option<string>) =>
  (stored: StoredEvent): boolean =>
    Option.match(tag, { onNone: () => true, onSome: (one) => stored.event._tag === one }) &&
    Option.match(wanted, {
      onNone: () => true,
      onSome: (one) => JSON.stringify(stored.event).toLowerCase().includes(one.toLowerCase())
    })

const print = (inv: Invocation) => (stored: StoredEvent) =>
  inv.item({ schema: schemas.event, ...eventView(stored) }, () => [line(stored)])

export const events = Command.make(
  "events",
  {
    id: execution,
    audit: option("audit", "Events of the deployment itself: decisions of people, such as vetoes and locks"),
    follow: option("follow", "Continue until the execution has finished"),
    type: Flag.Literals("type", eventTags).pipe(Flag.optional, Flag.withDescription("Only events of this type")),
    text: text("text", "text", "Only events that contain this text"),
    after: count("after", 0, Number.MAX_SAFE_INTEGER, "Only events after this sequence number (0)").pipe(
      Flag.withDefault(0)
    ),
    limit: count("limit", 1, 10_000, "How many (1000)").pipe(Flag.withDefault(1000))
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const wanted = matches(flags.type, flags.text)
        const { deployments, executions } = yield* signalbox
        if (flags.audit) {
          const id = yield* Target.deploymentId(inv, Option.getOrUndefined(flags.id) as DeploymentId | undefined)
          yield* Target.deployment(id)
          const all = yield* deployments.events(id)
          const found = all.filter((stored) => stored.seq > flags.after && wanted(stored)).slice(0, flags.limit)
          return yield* inv.result({ deploymentId: id, events: found.map(eventView) }, () =>
            found.length === 0 ? ["No such events."] : found.map(line)
          )
        }
        const target = yield* Target.execution(inv, Option.getOrUndefined(flags.id), { last: true })
        if (flags.follow) {
          return yield* executions
            .follow(target.correlationId, flags.after)
            .pipe(Stream.filter(wanted), Stream.runForEach(print(inv)))
        }
        const all = yield* executions.events(target.correlationId)
        const found = all.filter((stored) => stored.seq > flags.after && wanted(stored))
        const shown = found.slice(0, flags.limit)
        yield* inv.result(
          {
            correlationId: target.correlationId,
            deploymentId: target.deploymentId,
            environment: target.environment,
            events: shown.map(eventView),
            next: found.length > shown.length ? shown.at(-1)!.seq : null
          },
          () => (shown.length === 0 ? ["No such events."] : shown.map(line))
        )
      })
    )
  })
).pipe(Command.withDescription("Print the events of an execution or of a deployment"))

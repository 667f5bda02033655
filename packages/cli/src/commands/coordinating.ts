/**
 * Flags of all coordinated commands: the queue policy, and the origin of the request.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CorrelationId, Line, StackName } from "@signalbox/core/spi"
import { policies } from "./choices.ts"
import { millisOf, span, text } from "./flags.ts"

const day = 86_400_000
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/i

/** Parses an ISO 8601 text with an offset, in milliseconds. */
export const timeOf = (value: string): Option.Option<number> => {
  const time = iso.test(value.trim()) ? Date.parse(value.trim()) : Number.NaN
  return Number.isNaN(time) || time < 0 ? Option.none() : Option.some(time)
}

/** A moment: a duration from now, or an ISO 8601 time. */
export const momentOf = (value: string, now: number): Option.Option<number> =>
  Option.orElse(
    Option.map(millisOf(value), (millis) => now + millis),
    () => timeOf(value)
  )

const limited = (name: string, most: number, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(Line.check(Schema.isMaxLength(most))),
    Flag.optional,
    Flag.withMetavar(metavar),
    Flag.withDescription(description)
  )

const queueOr = (otherwise: string) =>
  Flag.Literals("queue", policies).pipe(
    Flag.optional,
    Flag.withDescription(`Policy while another execution is running (${otherwise}, or as configured)`)
  )

/** For commands that only need a queue position. */
export const queue = queueOr("fifo")

export const override = text(
  "override",
  "reason",
  "Go ahead despite freezes, vetoes, dependencies and newer commits; the reason is recorded"
)

/** The policy towards blockers. */
export const queueing = {
  queue: queueOr("reject"),
  queueTimeout: span("queue-timeout", 0, 30 * day, "Give up if still queued after this long").pipe(Flag.optional),
  override
}

const commit = limited("commit", 128, "sha", "Commit to deploy (GITHUB_SHA)")

const committedAt = Flag.String("committed-at").pipe(
  Flag.filterMap(timeOf, (value) => `Expected a time such as 2026-11-21T09:30:00Z, got "${value}"`),
  Flag.optional,
  Flag.withMetavar("time"),
  Flag.withDescription("Commit time; by default from git. An older commit is not deployed after a newer one")
)

/** The commit, for commands that only query. */
export const commits = { commit, committedAt }

/** The origin of a request. */
export const origins = {
  ...commits,
  workflowRun: limited(
    "workflow-run",
    512,
    "url",
    "Workflow run that makes the request; by default from GitHub Actions"
  )
}

export const stacks = Flag.String("stack").pipe(
  Flag.withSchema(StackName),
  Flag.atLeast(0),
  Flag.withMetavar("name"),
  Flag.withDescription("Limit to this stack; may be repeated")
)

export const because = Flag.String("reason").pipe(
  Flag.withSchema(Line),
  Flag.withMetavar("text"),
  Flag.withDescription("Reason; recorded with the operation")
)

/** An execution, by its correlation ID only. */
export const onlyExecution = Argument.String("correlation-id").pipe(
  Argument.withSchema(CorrelationId),
  Argument.optional,
  Argument.withDescription("Correlation ID of the execution")
)

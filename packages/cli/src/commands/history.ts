import type { ExecutionView } from "@signalbox/core/api"
import { executionView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { DeploymentId, StoreError } from "@signalbox/core/spi"
import { type Failure, usage } from "../main/Failure.ts"
import { inkOf, invocation, type Invocation } from "../main/Invocation.ts"
import { mark, word } from "../live/glyphs.ts"
import { type Column, table } from "../live/table.ts"
import { displayWidth } from "../live/text.ts"
import { ago, span } from "../live/words.ts"
import type { Ink } from "../execution/outcome.ts"
import { signalbox, withServices } from "../main/services.ts"
import { providersAtHand } from "../request/plugins.ts"
import { executionStatuses } from "./choices.ts"
import { count, deployment, text } from "./flags.ts"

const kept: Column<ExecutionView> = {
  title: "KEPT",
  cell: ({ restorable }) => (restorable === true ? "✔" : ""),
  style: () => "green",
  drop: 2
}

const columnsOf = (rows: ReadonlyArray<ExecutionView>, now: number): ReadonlyArray<Column<ExecutionView>> => [
  { title: "DEPLOYMENT", cell: (row) => row.deploymentId, drop: 4 },
  { title: "ENVIRONMENT", cell: (row) => row.environment },
  { title: "KIND", cell: (row) => row.kind },
  {
    title: "STATUS",
    cell: (row) => `${mark(row.status)[0]} ${word(row.status)}`,
    style: (row) => mark(row.status)[1]
  },
  { title: "VERSION", cell: (row) => row.version ?? "–", drop: 3 },
  ...(rows.some(({ restorable }) => restorable === true) ? [kept] : []),
  { title: "ASKED", cell: (row) => ago(row.requestedAt.getTime(), now), drop: 2 },
  { title: "TOOK", cell: (row) => (row.durationMs === null ? "–" : span(row.durationMs)), drop: 1 },
  { title: "BY", cell: (row) => row.triggeredBy, drop: 5 }
]

const idColumn: Column<ExecutionView> = { title: "CORRELATION ID", cell: (row) => row.correlationId }
/** From this width on, a column is worth less than keeping an execution on one line. */
const lessThanOneLine = 4

/**
 * A table of executions. IDs are meant to be copied and never cut: an ID that does not fit goes on a line of its own.
 */
export const executionTable = (
  rows: ReadonlyArray<ExecutionView>,
  now: number,
  { columns: width, paint }: Ink
): ReadonlyArray<string> => {
  const columns = columnsOf(rows, now)
  const least = table(rows, [...columns.filter(({ drop = 0 }) => drop < lessThanOneLine), idColumn], {
    width: Number.POSITIVE_INFINITY,
    paint: (_, text) => text
  })
  if (least.every((line) => displayWidth(line) <= width)) return table(rows, [...columns, idColumn], { width, paint })
  const [titles = "", ...lines] = table(rows, columns, { width, paint })
  return [titles, ...lines.flatMap((line, index) => [line, paint("dim", `  ${rows[index]!.correlationId}`)])]
}

/** The deployment to filter by: the given one, the one of this folder, or none. */
export const scope = (
  inv: Invocation,
  given: Option.Option<DeploymentId>
): { readonly deploymentId?: DeploymentId } => {
  const id = Option.getOrUndefined(given) ?? (inv.settings.deploymentId as DeploymentId | undefined)
  return id === undefined ? {} : { deploymentId: id }
}

/** The environment to filter by, if one was named. */
export const within = (inv: Invocation) =>
  inv.settings.environment === undefined ? {} : { environment: inv.settings.environment as never }

/** The filters of executions. */
export const search = text(
  "text",
  "text",
  "Only with this text in correlation ID, version, actor, reason, commit, workflow run or command"
).pipe(Flag.withAlias("search"))

const cursor = text("cursor", "cursor", "Cursor of the next page, from the previous one")
const statuses = Flag.Literals("status", executionStatuses).pipe(
  Flag.optional,
  Flag.withDescription("Only executions with this status")
)

const quoted = (text: string): string => (/^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** The command line for the next page. */
const again = (
  inv: Invocation,
  flags: {
    readonly id: Option.Option<string>
    readonly limit: number
    readonly status: Option.Option<string>
    readonly text: Option.Option<string>
  }
): ReadonlyArray<string> => {
  const { environment } = inv.settings
  return [
    "signalbox history",
    ...Option.toArray(flags.id),
    ...(environment === undefined ? [] : ["--environment", environment]),
    ...Option.toArray(flags.status).flatMap((status) => ["--status", status]),
    ...Option.toArray(flags.text).flatMap((text) => ["--text", quoted(text)]),
    "--limit",
    String(flags.limit)
  ]
}

export const history = Command.make(
  "history",
  {
    id: deployment,
    limit: count("limit", 1, 1000, "How many (20)").pipe(Flag.withDefault(20)),
    cursor,
    status: statuses,
    text: search
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const { executions: all } = yield* signalbox
        const page = yield* all
          .list({
            ...scope(inv, flags.id),
            ...within(inv),
            limit: flags.limit,
            ...(Option.isSome(flags.cursor) ? { cursor: flags.cursor.value } : {}),
            ...(Option.isSome(flags.status) ? { statuses: [flags.status.value] } : {}),
            ...(Option.isSome(flags.text) ? { text: flags.text.value } : {})
          })
          .pipe(
            Effect.mapError((error): Failure | StoreError =>
              Option.isSome(flags.cursor) && error.reason === "Unexpected"
                ? usage(
                    "cursor_invalid",
                    "the cursor was not made by this store",
                    "Take it from next of the page before.",
                    "--cursor"
                  )
                : error
            )
          )
        const now = yield* Clock.currentTimeMillis
        const restorable = yield* all.restorable(page.items, { ask: true })
        const executions = page.items.map((state) => executionView(state, now, restorable))
        yield* inv.result({ executions, next: page.next ?? null }, () =>
          executions.length === 0
            ? [
                Option.isSome(flags.text) || Option.isSome(flags.status)
                  ? "None is like that."
                  : "Nothing has happened yet."
              ]
            : [
                ...executionTable(executions, now, inkOf(inv)),
                ...(restorable.size === 0
                  ? []
                  : [
                      "",
                      `roll back to a kept execution: ${inv.paint("cyan", "signalbox rollback --to <version | correlation ID>")}`
                    ]),
                ...(page.next === undefined
                  ? []
                  : ["", `more: ${inv.paint("cyan", [...again(inv, flags), "--cursor", page.next].join(" "))}`])
              ]
        )
      }),
      { providers: yield* providersAtHand(inv) }
    )
  })
).pipe(Command.withDescription("List past executions, latest first"))

import { instantOf, metricsView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { Execution } from "@signalbox/core/spi"
import { invocation } from "../main/Invocation.ts"
import { table } from "../live/table.ts"
import { span } from "../live/words.ts"
import { signalbox, withServices } from "../main/services.ts"
import { count, deployment } from "./flags.ts"
import { scope, within } from "./history.ts"

const hour = 3_600_000
const few = 10

const percent = (rate: number | null, n: number): string =>
  rate === null ? "–" : `${Math.round(rate * 1000) / 10}% (n = ${n}${n < few ? ", too few to rely on" : ""})`

export const metrics = Command.make(
  "metrics",
  {
    id: deployment,
    hours: count("hours", 1, 24 * 366, "Period to look back, in hours (24)").pipe(Flag.withDefault(24))
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const { executions } = yield* signalbox
        const now = yield* Clock.currentTimeMillis
        const since = now - flags.hours * hour
        const states: Array<Execution.ExecutionState> = []
        let cursor: string | undefined
        do {
          const page = yield* executions.list({
            ...scope(inv, flags.id),
            ...within(inv),
            since,
            limit: 1000,
            ...(cursor === undefined ? {} : { cursor })
          })
          states.push(...page.items)
          cursor = page.next
        } while (cursor !== undefined)
        const view = metricsView(states)
        yield* inv.result(
          {
            ...scope(inv, flags.id),
            environment: inv.settings.environment ?? null,
            hours: flags.hours,
            since: instantOf(since),
            ...view
          },
          () => [
            `${view.total} execution${view.total === 1 ? "" : "s"} in ${flags.hours} h: ${view.completed} completed, ${view.rolled_back} rolled back, ${view.failed} failed, ${view.cancelled} cancelled, ${view.inProgress} in progress`,
            `success rate ${percent(view.successRate, view.n)}`,
            ...(view.kinds.length === 0
              ? []
              : [
                  "",
                  ...table(
                    view.kinds,
                    [
                      { title: "KIND", cell: (row) => row.kind },
                      { title: "TOTAL", cell: (row) => String(row.total) },
                      { title: "SUCCESS", cell: (row) => percent(row.successRate, row.n) },
                      {
                        title: "P50",
                        cell: (row) => (row.durationMs.p50 === null ? "–" : span(row.durationMs.p50)),
                        drop: 1
                      },
                      {
                        title: "P90",
                        cell: (row) => (row.durationMs.p90 === null ? "–" : span(row.durationMs.p90)),
                        drop: 1
                      }
                    ],
                    { width: inv.host.stdout.columns(), paint: inv.paint }
                  )
                ])
          ]
        )
      })
    )
  })
).pipe(Command.withDescription("Show counts, the success rate and durations of past executions"))

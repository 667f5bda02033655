/** A replay as JSON shows it. The names are API. */
import type { Replay } from "@signalbox/core/analysis"
import { iso } from "./execution.ts"

const endingView = ({ at, ...ending }: Replay.Ending) => ({ ...ending, at: at === null ? null : iso(at) })

export const replayView = ({ recorded, replayed, requestedAt, stacks, ...execution }: Replay.Replayed) => ({
  ...execution,
  requestedAt: iso(requestedAt),
  recorded: endingView(recorded),
  replayed: endingView(replayed),
  stacks: stacks.map((stack) => ({
    ...stack,
    recorded: endingView(stack.recorded),
    replayed: endingView(stack.replayed),
    looks: stack.looks.map((look) => ({ ...look, at: iso(look.at) }))
  }))
})

/**
 * The result of many: `newlyAborted` were promoted then and would be stopped now, `nowPassing` the reverse.
 */
export const summaryOf = (all: ReadonlyArray<Replay.Replayed>) => {
  const judged = all.filter(({ replayed }) => replayed.kind !== "not_judged")
  const counted = (kind: Replay.Ending["kind"]) => judged.filter(({ replayed }) => replayed.kind === kind).length
  return {
    executions: all.length,
    judged: judged.length,
    passes: counted("passes"),
    aborts: counted("aborts"),
    asks: counted("asks"),
    unknown: counted("unknown"),
    changed: judged.filter(({ changed }) => changed).length,
    newlyAborted: judged.filter(({ recorded, replayed }) => replayed.kind === "aborts" && recorded.kind !== "aborts")
      .length,
    nowPassing: judged.filter(({ recorded, replayed }) => replayed.kind === "passes" && recorded.kind !== "passes")
      .length
  }
}
export type ReplaySummary = ReturnType<typeof summaryOf>

import type { Replay } from "@signalbox/core/analysis"

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

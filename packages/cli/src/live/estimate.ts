/** How long something will still take, for people. */
import type { Estimate } from "@signalbox/core/analysis"
import type { Execution } from "@signalbox/core/spi"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const amounts = [
  { unit: "h", ms: hour, from: 2 * hour },
  { unit: "min", ms: minute, from: 90 * second },
  { unit: "s", ms: second, from: 0 }
] as const

const amountOf = (ms: number): { readonly amount: number; readonly unit: string } => {
  const { ms: one, unit } = amounts.find(({ from }) => ms >= from) ?? amounts[2]
  return { amount: Math.round(ms / one), unit }
}

/** `40 s`, `4 min`, `3 h`: only as exact as it is known. */
export const roughly = (ms: number): string => {
  const { amount, unit } = amountOf(ms)
  return amount === 0 && ms > 0 ? `less than 1 ${unit}` : `${amount} ${unit}`
}

/** `3–7 min`, `40 s–2 min`. */
export const between = (low: number, high: number): string => {
  const [from, to] = [amountOf(low), amountOf(high)]
  if (from.unit !== to.unit && from.amount !== 0) return `${roughly(low)}–${roughly(high)}`
  return from.amount === to.amount ? `${to.amount} ${to.unit}` : `${from.amount}–${to.amount} ${to.unit}`
}

/** The text instead of an interval whose coverage is unknown. */
export const guessed = (n: number | null): string => `not enough history: ±20 % of the mean, n = ${n ?? 0}`

const scopes: Readonly<Record<Estimate.Scope, string>> = {
  environment: "",
  deployment: " in all environments",
  strategy: " of others with the same provider and strategy",
  provider: " of others with the same provider",
  stage: " of any provider",
  all: " of any kind"
}

/** The remaining time in one line; undefined if nothing can be said. */
export const leftLine = (
  estimate: Estimate.Estimate | undefined,
  state: Pick<Execution.ExecutionState, "questions" | "status">
): string | undefined => {
  if (estimate === undefined || estimate.basis === "none") return undefined
  const { basis, high, low, n, point, scope } = estimate
  if (basis === "exceeded" || point === null || low === null || high === null) {
    // One or two executions are not enough history to exceed.
    return n < 3 ? undefined : `longer than all ${n} past runs${scopes[scope]}`
  }
  const waits = state.status === "paused" ? " once it goes on" : ""
  const left = `about ${roughly(point)} left${waits}`
  return basis === "few" ? `${left} (${guessed(n)})` : `${left} (${between(low, high)}, n = ${n}${scopes[scope]})`
}

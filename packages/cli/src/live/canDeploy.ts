/** The blockers, for people. */
import type { Blocker, CanDeployAnswer, CanDeployRequest } from "@signalbox/core/api"
import { describe, describeWaysOut } from "@signalbox/core/text"
import type { Ink } from "../execution/outcome.ts"
import { between, guessed, roughly } from "./estimate.ts"
import { word } from "./glyphs.ts"
import { wrap } from "./text.ts"
import { ago, clock, plain } from "./words.ts"

/**
 * `in 2 h (at 18:00:00)`, `in about 4 min (3–7 min)`, `in about 4 min (not enough history …)`; undefined if unknown.
 */
export const clearing = ({ clearsAt }: Blocker, now: number): string | undefined => {
  if (clearsAt === null) return undefined
  const { basis, high, low, n, point } = clearsAt
  const left = (at: number) => Math.max(0, at - now)
  if (basis === "known") return `in ${roughly(left(point))} (at ${clock(point, now)})`
  return `in about ${roughly(left(point))} (${basis === "few" ? guessed(n) : between(left(low), left(high))})`
}

/** A blocker, in one sentence. */
export const inShort = (blockers: ReadonlyArray<Blocker>, now: number): string => {
  const [first, ...others] = blockers
  if (first === undefined) return "nothing is in the way"
  const clears = clearing(first, now)
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`
  return plain(`${describe(first.info).message}${clears === undefined ? "" : `; expected to be over ${clears}`}${more}`)
}

const explained = (blocker: Blocker, now: number, { columns, paint }: Ink): ReadonlyArray<string> => {
  const facts = [
    ["who", blocker.who],
    ["since", blocker.since === null ? null : `${ago(blocker.since, now)} (${clock(blocker.since, now)})`],
    ["over", clearing(blocker, now) ?? "unknown"],
    ["look", blocker.consoleUrl],
    ["to go on", describeWaysOut(blocker.info.remedies) ?? "wait"]
  ] as const
  const [first = "", ...rest] = wrap(plain(`${word(blocker.kind)}: ${describe(blocker.info).message}`), columns - 2)
  return [
    `${paint("red", "✖")} ${first}`,
    ...rest.map((line) => `  ${line}`),
    ...facts.flatMap(([name, value]) =>
      value === null
        ? []
        : wrap(plain(value), columns - 12).map(
            (line, index) => `  ${paint("dim", (index === 0 ? name : "").padEnd(10))}${line}`
          )
    )
  ]
}

const degraded = ({ degraded: reason }: CanDeployAnswer, { columns, paint }: Ink): ReadonlyArray<string> =>
  reason === null
    ? []
    : wrap(plain(`degraded: only the providers were asked, the store cannot be reached (${reason})`), columns).map(
        (line) => paint("yellow", line)
      )

/** The answer in a line; with `explain`, everything that is known. */
export const canDeployLines = (
  { deploymentId, environment }: Pick<CanDeployRequest, "deploymentId" | "environment">,
  answer: CanDeployAnswer,
  explain: boolean,
  ink: Ink
): ReadonlyArray<string> => {
  const { blockers, checkedAt: now, nextFreeze } = answer
  const { paint } = ink
  const where = `${deploymentId} ${environment}`
  const [first, ...others] = blockers
  const more = others.length === 0 ? "" : ` (and ${others.length} more: --explain)`
  const headline =
    first === undefined
      ? `${paint("green", "✔")} yes: nothing is in the way of ${where}`
      : `${paint("red", "✖")} no: ${plain(describe(first.info).message)}${more}`
  const soon =
    nextFreeze === null
      ? []
      : [
          `${paint("yellow", "!")} ${environment} is frozen in ${roughly(nextFreeze.since - now)}: ${plain(nextFreeze.name)}, from ${clock(nextFreeze.since, now)} to ${clock(nextFreeze.until, now)}`
        ]
  if (!explain || first === undefined) return [headline, ...degraded(answer, ink), ...soon]
  const things = blockers.length === 1 ? "1 thing is" : `${blockers.length} things are`
  return [
    `${paint("red", "✖")} no: ${things} in the way of ${where}`,
    ...degraded(answer, ink),
    ...blockers.flatMap((blocker) => ["", ...explained(blocker, now, ink)]),
    ...(answer.queue === 0 && soon.length === 0 ? [] : [""]),
    ...(answer.queue === 0 ? [] : [`${answer.queue} in the queue`]),
    ...soon
  ]
}

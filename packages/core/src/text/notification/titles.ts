import type { Facts, FactsOf, Message, NotificationKind } from "../../domain/notification/index.ts"
import { describeCause, describeCauses } from "../describe.ts"
import { shortSpan } from "../shortSpan.ts"
import { because, count, words } from "../words.ts"

const after = (ms: number | undefined): string => (ms === undefined ? "" : ` after ${shortSpan(ms)}`)

const why = ({ cause, error }: Pick<FactsOf<"failed">, "cause" | "error">): string =>
  because(error !== undefined ? describeCause(error) : cause === undefined ? undefined : describeCause(cause))

type Says = { readonly [Kind in NotificationKind]: (facts: FactsOf<Kind>, subject: string) => string }

const says: Says = {
  started: ({ resumed }, subject) => `${subject} ${resumed === true ? "resumed" : "started"}`,
  waiting: ({ behind }, subject) => `${subject} waits${because(describeCauses(behind))}`,
  progress: ({ stage }, subject) => `${subject} in progress${stage === undefined ? "" : `: ${words(stage)}`}`,
  approval_requested: ({ question, stack }, subject) =>
    `${subject} needs an answer for ${stack}: ${describeCause(question)}`,
  paused: ({ by, cause }, subject) =>
    `${subject} paused${by === undefined ? "" : ` by ${by}`}${because(cause === undefined ? undefined : describeCause(cause))}`,
  stalled: (_, subject) => `${subject} stalled`,
  recovered: (_, subject) => `${subject} recovered`,
  overdue: (_, subject) => `${subject} is overdue`,
  monitoring_gap: (_, subject) => `${subject} was not monitored for a while`,
  completed: ({ elapsedMs }, subject) => `${subject} completed${after(elapsedMs)}`,
  failed: (facts, subject) => `${subject} FAILED${after(facts.elapsedMs)}${why(facts)}`,
  cancelled: (facts, subject) =>
    `${subject} cancelled${facts.by === undefined ? "" : ` by ${facts.by}`}${after(facts.elapsedMs)}${why(facts)}`,
  rolled_back: (facts, subject) => `${subject} ROLLED BACK${after(facts.elapsedMs)}${why(facts)}`,
  locked: ({ by, force, reason }, subject) =>
    `${subject} ${force === true ? "taken over and locked" : "locked"} by ${by}: ${reason}`,
  unlocked: ({ by, reason }, subject) => `${subject} unlocked by ${by}: ${reason}`,
  lease_revoked: ({ by, holder, reason }, subject) => `${subject}: ${by} revoked the lease of ${holder}: ${reason}`,
  vetoed: ({ by, reason, version }, subject) => `${subject}: ${by} vetoed ${version}: ${reason}`,
  veto_lifted: ({ by, reason, version }, subject) => `${subject}: ${by} lifted the veto of ${version}: ${reason}`,
  freeze_overridden: ({ by, reason }, subject) => `${subject} started by ${by} in spite of a blocker: ${reason}`,
  drift: ({ fields, stack }, subject) => `${subject}: ${stack} differs in ${count(fields.length, "field")}`,
  acknowledged: ({ by }, subject) => `${subject}: acknowledged by ${by}`,
  recovery_summary: ({ grouped, items, more }) =>
    `${count(items.length + more, "notification")}${grouped === true ? "" : " while this channel was away"}`,
  test: ({ by }) => `Test of this channel by ${by}`
}

/** What a message is about: `shop production: deploy 1.4.2`. */
export const subjectOf = ({ deployment, environment, execution, stream }: Message): string => {
  const place = [deployment?.project ?? (execution === undefined ? stream : undefined), environment]
    .filter((part) => part !== undefined)
    .join(" ")
  if (execution === undefined) return place
  const what = execution.version === undefined ? execution.kind : `${execution.kind} ${execution.version}`
  return place === "" ? what : `${place}: ${what}`
}

/** The title of a message. */
export const titleOf = (message: Message): string => {
  const say = says[message.facts.kind] as ((facts: Facts, subject: string) => string) | undefined
  const subject = subjectOf(message)
  // A kind of another version: its name says more than nothing.
  return say === undefined ? `${subject}: ${words((message.facts as Facts).kind)}` : say(message.facts, subject)
}

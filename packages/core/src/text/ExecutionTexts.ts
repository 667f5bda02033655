import type { CauseInfo } from "../domain/errors/index.ts"
import type { executionErrors } from "../domain/errors/ExecutionErrors.ts"
import { because, list, span, type Texts } from "./words.ts"

/** How a command ended. */
export const endOfCommand = (code: number | undefined, signal: string | undefined): string =>
  signal === undefined ? `ended with code ${code ?? "?"}` : `was ended by ${signal}`

const again = "Submit it again under a new correlation id."

/** `say` renders a cause within another one. */
export const executionTexts = (say: (cause: CauseInfo) => string): Texts<keyof typeof executionErrors> => ({
  aborted: ({ by, cause }, reason) => ({
    message: `aborted by ${by}${because(cause === undefined ? reason : say(cause))}`,
    hint: "Deploy again when the cause is sorted out."
  }),
  interrupted: ({ cause, code, during, signal }) => {
    switch (during) {
      case "queue":
        return { message: "interrupted while queued", hint: "Submit it again." }
      case "preparation":
        return { message: "interrupted before anything was changed", hint: "Deploy again." }
      case "command_start":
        return { message: "interrupted before its command began", hint: "Run it again." }
      default:
        return {
          message: `the command was asked to stop and ${endOfCommand(code, signal)}${because(cause === undefined ? undefined : say(cause))}`,
          hint: "Look at what is there before the next one."
        }
    }
  },
  withdrawn: ({ by }, reason) => ({ message: reason ?? `withdrawn by ${by}`, hint: again }),
  cleaned_up: ({ by }, reason) => ({ message: reason ?? `cleaned up by ${by}`, hint: again }),
  reported_failed: ({ by }, reason) => ({
    message: reason ?? `reported as failed by ${by}`,
    hint: "Look at the log of its workflow."
  }),
  forgotten: ({ afterMs }) => ({
    message: `no process ran it, and nothing happened for ${span(afterMs)}`,
    hint: again
  }),
  superseded: ({ by, execution }) => `${execution} was left unfinished and is superseded by ${by}`,
  overtaken: ({ by, execution }) => `${execution} by ${by} took its place: the latest wins`,
  queue_timeout: ({ afterMs }) => ({
    message: `still queued after ${span(afterMs)}`,
    hint: "It was withdrawn, and nothing was done."
  }),
  command_cut: () => ({
    message: "the process that ran the command died; what the command did is unknown",
    hint: "Look at what is there, then run it again under a new correlation id."
  }),
  command_failed: ({ cause, code, signal }) => ({
    message: `the command ${endOfCommand(code, signal)}${because(cause === undefined ? undefined : say(cause))}`,
    hint: "Look at its output."
  }),
  approval_expired: ({ afterMs, question, stack }) => ({
    message: `${stack}: no answer to "${say(question)}" within ${span(afterMs)}`,
    hint: "Deploy again, and approve in time."
  }),
  gate_failed: ({ findings, stack, step, version }) => ({
    message: `${stack}: ${step} failed its gate: ${findings.map(say).join("; ")}`,
    hint: `Look at the log of release ${version}.`
  }),
  traffic_not_effective: ({ asked, observed, stack }) => ({
    message: `${stack}: ${asked} % of the traffic was requested, ${observed} % is observed`,
    hint: "Look for another rule or actor that routes this traffic."
  }),
  cannot_go_back: ({ stack, version }, why) => ({
    message: `${stack}: there is no way back to ${version}${because(why)}`,
    hint: "Deploy that version again, or accept the new one with a new deployment."
  }),
  teardown_refused: ({ healthy, needed, share, stack, total, unit }) => ({
    message: `${stack}: the old release stays: the new one is observed to carry ${share} % ${
      unit === "release"
        ? `and is ${healthy > 0 ? "ready" : "not ready"}`
        : `with ${healthy} of ${total} instances healthy${needed === undefined ? "" : `, ${needed} % needed`}`
    }`,
    hint: "Nothing was removed."
  }),
  output_missing: ({ outputs, stack }) => ({
    message: `${stack} needs the output ${list(outputs)}, which is unknown`,
    hint: "Deploy the stack that produces it first."
  }),
  target_differs: ({ actual, configured, field, principal, stack }) => ({
    message: `${stack}: the environment is configured for the ${field} ${configured}, and the credentials${principal === undefined ? "" : ` (${principal})`} lead to ${actual}`,
    hint: "Use other credentials, or another environment. Nothing was changed."
  }),
  store_replaced: ({ fence, provider, stack }) => ({
    message: `${stack}: ${provider} knows fencing token ${fence}, which this store never gave out: the store that did was deleted or replaced`,
    hint: "Restore that store."
  }),
  stage_timeout: ({ afterMs, stack, stage }) => ({
    message: `${stack}: ${stage} took longer than ${span(afterMs)}`,
    hint: `Raise "timeout" of the stack, or find out what it waits for.`
  }),
  kept_in_lockstep: ({ cause, dependent, stacks }) => ({
    message: `${dependent} could not be put back (${say(cause)}), so ${list(stacks)} stay${stacks.length === 1 ? "s" : ""} as deployed`,
    hint: `Decide whether to put ${dependent} back by hand, or to deploy a release of it that goes with ${list(stacks)}.`
  }),
  rollback_failed: ({ cause }) => `the rollback failed: ${say(cause)}`,
  defect: (_, detail) => `a defect ended the execution${because(detail)}`,
  foreign_failed: () => ({
    message: "the operation is over, and its stack has failed",
    hint: "Look at what its platform says about it."
  }),
  outcome_unknown: () => ({
    message: "another operation began before the outcome of this one was seen",
    hint: "Look at what its platform says about it."
  })
})

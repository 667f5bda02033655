import type { CauseInfo } from "../domain/errors/index.ts"
import type { executionErrors } from "../domain/errors/ExecutionErrors.ts"
import { because, list, span, type Texts } from "./words.ts"

/** How a command ended. */
export const endOfCommand = (code: number | undefined, signal: string | undefined): string =>
  signal === undefined ? `ended with code ${code ?? "?"}` : `was ended by ${signal}`

const again = "Submit it again with a new correlation ID."

/** `say` renders a cause within another one. */
export const executionTexts = (say: (cause: CauseInfo) => string): Texts<keyof typeof executionErrors> => ({
  aborted: ({ by, cause }, reason) => ({
    message: `aborted by ${by}${because(cause === undefined ? reason : say(cause))}`,
    hint: "Fix the cause, then deploy again."
  }),
  interrupted: ({ cause, code, during, signal }) => {
    switch (during) {
      case "queue":
        return { message: "interrupted while queued", hint: "Submit it again." }
      case "preparation":
        return { message: "interrupted before anything was changed", hint: "Deploy again." }
      case "command_start":
        return { message: "interrupted before its command started", hint: "Run it again." }
      default:
        return {
          message: `the command was asked to stop and ${endOfCommand(code, signal)}${because(cause === undefined ? undefined : say(cause))}`,
          hint: "Check the platform before you run it again."
        }
    }
  },
  withdrawn: ({ by }, reason) => ({ message: reason ?? `withdrawn by ${by}`, hint: again }),
  cleaned_up: ({ by }, reason) => ({ message: reason ?? `cleaned up by ${by}`, hint: again }),
  reported_failed: ({ by }, reason) => ({
    message: reason ?? `reported as failed by ${by}`,
    hint: "Read the log of its workflow run."
  }),
  forgotten: ({ afterMs }) => ({
    message: `no process ran it, and nothing happened for ${span(afterMs)}`,
    hint: again
  }),
  superseded: ({ by, execution }) => `${execution} was left unfinished and is superseded by ${by}`,
  overtaken: ({ by, execution }) => `${execution} by ${by} replaced it: the latest request wins`,
  queue_timeout: ({ afterMs }) => ({
    message: `still queued after ${span(afterMs)}`,
    hint: "The request was withdrawn. Nothing was changed."
  }),
  command_cut: () => ({
    message: "the process that ran the command died; what the command did is unknown",
    hint: "Check the platform, then run it again with a new correlation ID."
  }),
  command_failed: ({ cause, code, signal }) => ({
    message: `the command ${endOfCommand(code, signal)}${because(cause === undefined ? undefined : say(cause))}`,
    hint: "Read its output."
  }),
  approval_expired: ({ afterMs, question, stack }) => ({
    message: `${stack}: no answer to "${say(question)}" within ${span(afterMs)}`,
    hint: "Deploy again, and answer in time."
  }),
  gate_failed: ({ findings, stack, step, version }) => ({
    message: `${stack}: ${step} failed its gate: ${findings.map(say).join("; ")}`,
    hint: `Look at the log of release ${version}.`
  }),
  traffic_not_effective: ({ asked, observed, stack }) => ({
    message: `${stack}: ${asked} % of the traffic was requested, ${observed} % is observed`,
    hint: "Check whether another rule or tool routes this traffic."
  }),
  cannot_go_back: ({ stack, version }, why) => ({
    message: `${stack}: cannot roll back to ${version}${because(why)}`,
    hint: "Deploy that version again, or accept the new one with a new deployment."
  }),
  teardown_refused: ({ healthy, needed, share, stack, total, unit }) => ({
    message: `${stack}: the old release was not removed: the new one has ${share} % of the traffic ${
      unit === "release"
        ? `and is ${healthy > 0 ? "ready" : "not ready"}`
        : `with ${healthy} of ${total} instances healthy${needed === undefined ? "" : ` (${needed} % needed)`}`
    }`,
    hint: "Both releases keep running."
  }),
  output_missing: ({ outputs, stack }) => ({
    message: `${stack} needs the output ${list(outputs)}, which is unknown`,
    hint: "Deploy the stack that produces it first."
  }),
  target_differs: ({ actual, configured, field, principal, stack }) => ({
    message: `${stack}: the environment is configured for the ${field} ${configured}, but the credentials${principal === undefined ? "" : ` (${principal})`} belong to ${actual}`,
    hint: "Use other credentials, or another environment. Nothing was changed."
  }),
  store_replaced: ({ fence, provider, stack }) => ({
    message: `${stack}: ${provider} has fencing token ${fence}, which this store never issued: the store that issued it was deleted or replaced`,
    hint: "Restore that store."
  }),
  stage_timeout: ({ afterMs, stack, stage }) => ({
    message: `${stack}: ${stage} took longer than ${span(afterMs)}`,
    hint: `Raise "timeout" of the stack, or find out what it waits for.`
  }),
  kept_in_lockstep: ({ cause, dependent, stacks }) => ({
    message: `${dependent} could not be rolled back (${say(cause)}), so ${list(stacks)} stay${stacks.length === 1 ? "s" : ""} as deployed`,
    hint: `Restore ${dependent} by hand, or deploy a release of it that works with ${list(stacks)}.`
  }),
  rollback_failed: ({ cause }) => `the rollback failed: ${say(cause)}`,
  defect: (_, detail) => `an internal error ended the execution${because(detail)}`,
  foreign_failed: () => ({
    message: "the operation has ended, and its stack has failed",
    hint: "Check the platform's console or events."
  }),
  outcome_unknown: () => ({
    message: "another operation began before the outcome of this one was seen",
    hint: "Check the platform's console or events."
  })
})

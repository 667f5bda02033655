/** Errors that executions end with. */
import { error } from "./Registry.ts"

export const executionErrors = {
  aborted: error("failed", "caller", { by: "text", cause: "cause?" }, "An operator aborted the execution."),
  interrupted: error(
    "interrupted",
    "caller",
    { during: "text", code: "number?", signal: "text?", cause: "cause?" },
    "The process was stopped: while queued, before changing anything, before its command started, or while the command ran."
  ),
  withdrawn: error("failed", "caller", { by: "text" }, "The queued request was withdrawn."),
  cleaned_up: error("failed", "caller", { by: "text" }, "The execution was closed with cleanup."),
  reported_failed: error("failed", "application", { by: "text" }, "The work ran elsewhere and was reported as failed."),
  forgotten: error(
    "blocked",
    "caller",
    { afterMs: "ms" },
    "Nothing happened for so long that the execution was closed.",
    { ends: "blocked" }
  ),
  superseded: error(
    "blocked",
    "environment",
    { execution: "text", by: "text" },
    "The execution was left unfinished, and another one replaced it.",
    { ends: "blocked" }
  ),
  overtaken: error(
    "blocked",
    "environment",
    { execution: "text", by: "text" },
    "A newer request replaced it in the queue (`latest_wins`).",
    { ends: "blocked" }
  ),
  queue_timeout: error(
    "timeout",
    "environment",
    { afterMs: "ms" },
    "The request was still queued when its queue timeout ended.",
    {
      ends: "timeout",
      retryable: true
    }
  ),
  command_cut: error(
    "failed",
    "environment",
    {},
    "The process that ran the command died, so what the command did is unknown."
  ),
  command_failed: error(
    "failed",
    "application",
    { code: "number?", signal: "text?", cause: "cause?" },
    "The command ended with an error."
  ),
  approval_expired: error(
    "failed",
    "caller",
    { stack: "text", question: "cause", afterMs: "ms" },
    "An approval was not given in time."
  ),
  gate_failed: error(
    "failed",
    "application",
    { stack: "text", step: "text", version: "text", findings: "causes" },
    "The gate rejected the release."
  ),
  traffic_not_effective: error(
    "failed",
    "provider",
    { stack: "text", asked: "number", observed: "number" },
    "The provider accepted a traffic shift that is not observed."
  ),
  cannot_go_back: error(
    "failed",
    "provider",
    { stack: "text", version: "text" },
    "The old release can no longer be restored: no traffic was shifted, or the rollback was not started."
  ),
  teardown_refused: error(
    "failed",
    "application",
    { stack: "text", share: "number", healthy: "number", total: "number", unit: "text?", needed: "number?" },
    "The old release was kept, because the new one does not carry its traffic, or too few of its instances are healthy."
  ),
  output_missing: error(
    "failed",
    "configuration",
    { stack: "text", outputs: "texts" },
    "A stack needs outputs that are unknown."
  ),
  target_differs: error(
    "usage",
    "configuration",
    { stack: "text", field: "text", configured: "text", actual: "text", principal: "text?" },
    "The credentials belong to another account or region than the environment is configured for."
  ),
  store_replaced: error(
    "failed",
    "environment",
    { stack: "text", provider: "text", fence: "number" },
    "The provider has a newer fencing token than this store ever issued."
  ),
  stage_timeout: error(
    "failed",
    "application",
    { stack: "text", stage: "text", afterMs: "ms" },
    "A stage took longer than the timeout of its stack."
  ),
  kept_in_lockstep: error(
    "failed",
    "environment",
    { dependent: "text", stacks: "texts", cause: "cause" },
    "A stack could not be rolled back, so the stacks in lockstep with it were not rolled back either: a person must decide."
  ),
  rollback_failed: error("failed", "provider", { cause: "cause" }, "The rollback failed too."),
  defect: error("failed", "signalbox", {}, "A defect of Signalbox or an adapter ended the execution."),
  foreign_failed: error("failed", "provider", {}, "The observed foreign operation failed."),
  outcome_unknown: error(
    "failed",
    "provider",
    {},
    "Another operation began before the outcome of the observed one was seen."
  )
} as const

/** Errors of requests: their input, what they name, and what is there already. */
import { error } from "./Registry.ts"

export const requestErrors = {
  unknown_execution: error("not_found", "caller", { execution: "text" }, "No execution has this correlation id."),
  unknown_deployment: error("not_found", "caller", { deployment: "text" }, "No deployment has this id."),
  unknown_environment: error(
    "usage",
    "caller",
    { environment: "text", nearest: "text?", known: "texts" },
    "The configuration has no environment of this name."
  ),
  unknown_stack: error(
    "not_found",
    "caller",
    { stack: "text", execution: "text?", nearest: "text?", known: "texts" },
    "The configuration, or the execution, has no stack of this name."
  ),
  unknown_delivery: error("not_found", "caller", { delivery: "text" }, "No notification has this id."),
  unknown_channel: error(
    "usage",
    "caller",
    { channel: "text", nearest: "text?", known: "texts" },
    "The configuration has no channel of this name."
  ),
  ack_link_invalid: error("usage", "caller", {}, "The link does not acknowledge a notification of this project."),
  ack_link_expired: error("usage", "caller", {}, "The link that acknowledges a notification has expired."),
  notifications_missing: error("usage", "configuration", {}, "The configuration has no notifications."),
  artifact_without_stack: error(
    "usage",
    "caller",
    { stack: "text", nearest: "text?", known: "texts" },
    "An artifact was given for a stack that the request does not deploy."
  ),
  variable_missing: error(
    "usage",
    "caller",
    { stack: "text", variable: "text" },
    "The properties of a stack contain a variable for which the request has no value."
  ),
  stack_disabled: error(
    "usage",
    "configuration",
    { stack: "text", environment: "text" },
    "The stack is disabled in this environment."
  ),
  stack_missing: error(
    "usage",
    "caller",
    { kind: "text" },
    "An operation on one stack was requested without naming the stack."
  ),
  configuration_missing: error(
    "usage",
    "configuration",
    { kind: "text" },
    "This kind of execution needs a configuration, but there is none."
  ),
  strategy_unsupported: error(
    "usage",
    "configuration",
    { stack: "text", strategy: "text", provider: "text", lacks: "text", possible: "texts" },
    "The provider cannot carry out the strategy."
  ),
  text_unfit: error(
    "usage",
    "caller",
    { field: "text", character: "text" },
    "A text holds a character that does not fit into one line."
  ),
  taken_twice: error(
    "usage",
    "configuration",
    { stack: "text", other: "text", resource: "text" },
    "Two stacks of one environment claim the same exclusive resource."
  ),
  unknown_metric_source: error(
    "usage",
    "configuration",
    { stack: "text", source: "text", known: "texts" },
    "A stack names a metric source that is not installed."
  ),
  alarms_unsupported: error(
    "usage",
    "configuration",
    { stack: "text", provider: "text" },
    "The gate of a stack names alarms, but its provider cannot read alarms."
  ),
  logs_unsupported: error(
    "usage",
    "caller",
    { stack: "text", provider: "text" },
    "The provider of a stack cannot read logs."
  ),
  unknown_release: error(
    "not_found",
    "caller",
    { release: "text", nearest: "text?", known: "texts" },
    "No recorded execution has deployed a release with this version or ID."
  ),
  invalid_metrics: error(
    "usage",
    "configuration",
    { stack: "text", source: "text" },
    "The metric source rejects the metrics of a stack; the detail says why."
  ),
  correlation_id_taken: error(
    "failed",
    "caller",
    {
      execution: "text",
      field: "text?",
      before: "text?",
      now: "text?",
      kind: "text?",
      deployment: "text?",
      environment: "text?"
    },
    "The correlation ID belongs to a different request."
  ),
  deployment_id_taken: error(
    "failed",
    "caller",
    { deployment: "text", owner: "text?", project: "text" },
    "The deployment ID belongs to another project."
  ),
  deployment_exists: error("failed", "caller", { deployment: "text" }, "A deployment with this id exists."),
  already_finished: error(
    "failed",
    "caller",
    { execution: "text", status: "text" },
    "The execution has finished and accepts no more commands."
  ),
  nothing_asked: error("failed", "caller", { execution: "text" }, "The execution has no open question to answer."),
  not_now: error(
    "failed",
    "caller",
    { execution: "text", command: "text", status: "text" },
    "The command is not possible in the current state."
  ),
  needs_its_command: error(
    "failed",
    "caller",
    { execution: "text" },
    "The execution runs a foreign command, which this process does not have."
  ),
  only_observed: error(
    "failed",
    "caller",
    { execution: "text" },
    "The execution observes a foreign deployment; nothing can be carried out."
  ),
  nothing_to_roll_back: error(
    "failed",
    "environment",
    { deployment: "text", environment: "text", stacks: "causes" },
    "No stack has an earlier release."
  ),
  unknown_target: error(
    "not_found",
    "caller",
    { deployment: "text", environment: "text", to: "text", nearest: "text?", known: "texts" },
    "The target of a rollback is neither a deployed version nor a completed execution."
  ),
  already_there: error(
    "failed",
    "caller",
    { deployment: "text", environment: "text", to: "text" },
    "The deployment already has the releases of the execution that the rollback names."
  ),
  release_not_kept: error(
    "failed",
    "environment",
    { to: "text", stack: "text", version: "text?", lacks: "text", nearest: "text?" },
    "A release that the rollback would restore is no longer kept."
  )
} as const

import { list, type Texts, words } from "./words.ts"
import type { requestErrors } from "../domain/errors/RequestErrors.ts"

const choose = (nearest: string | undefined, known: ReadonlyArray<string>, what: string): string =>
  nearest !== undefined
    ? `Did you mean "${nearest}"?`
    : known.length === 0
      ? `There are no ${what}.`
      : `The ${what} are: ${list(known)}.`

const lackedWords = (lacks: string, stack: string, version: string | undefined): string => {
  switch (lacks) {
    case "stack":
      return `${stack} is not deployed any more`
    case "record":
      return version === undefined
        ? `the log does not say which release ${stack} had then`
        : `the log has no checkpoint to restore ${version} of ${stack}`
    default:
      return `its provider does not have ${version ?? "the release"} of ${stack} any more`
  }
}

/** What a provider lacks for a strategy. */
export const lackWords: Readonly<
  Record<"installation" | "partial_traffic" | "partial_capacity" | "idle_release", string>
> = {
  installation: "is not installed",
  partial_traffic: "cannot send part of the traffic to a release",
  partial_capacity: "cannot bring in capacity in parts",
  idle_release: "cannot keep a release without traffic"
}

export const requestTexts: Texts<keyof typeof requestErrors> = {
  unknown_execution: ({ execution }) => `there is no execution ${execution}`,
  unknown_deployment: ({ deployment }) => `there is no deployment ${deployment}`,
  unknown_delivery: ({ delivery }) => ({
    message: `there is no notification ${delivery}`,
    hint: "Their ids: signalbox notify list"
  }),
  unknown_channel: ({ channel, known, nearest }) => ({
    message: `there is no channel "${channel}"`,
    hint: choose(nearest, known, "channels")
  }),
  ack_link_invalid: () => ({
    message: "this link does not acknowledge a notification",
    hint: "Copy the whole link, and check the secret that notifications.acknowledge names; or use the id from: signalbox notify list"
  }),
  ack_link_expired: () => ({
    message: "this link has expired",
    hint: "Use the id instead: signalbox notify list"
  }),
  notifications_missing: () => ({
    message: "no notifications are configured here",
    hint: 'Write for example notifications: { channels: { terminal: { kind: "console" } } } in the configuration.'
  }),
  unknown_environment: ({ environment, known, nearest }) => ({
    message: `there is no environment "${environment}"`,
    hint: choose(nearest, known, "environments")
  }),
  unknown_stack: ({ execution, known, nearest, stack }) => ({
    message: execution === undefined ? `there is no stack "${stack}"` : `${execution} has no stack "${stack}"`,
    hint: choose(nearest, known, "stacks")
  }),
  artifact_without_stack: ({ known, nearest, stack }) => ({
    message: `an artifact was given for "${stack}", which is not one of the stacks to deploy`,
    hint: `${choose(nearest, known, "stacks")} If it is a file, write ./ before its name.`
  }),
  variable_missing: ({ stack, variable }) => ({
    message: `the properties of ${stack} contain \${${variable}}, but the request has no ${variable}`,
    hint: variable === "commit" ? "Give the commit that is deployed." : `Give the ${variable} to deploy.`
  }),
  stack_disabled: ({ environment, stack }) => ({
    message: `the stack "${stack}" is disabled in ${environment}`,
    hint: "Set enabled to true for it, or name another stack."
  }),
  stack_missing: ({ kind }) => ({
    message: `a ${kind} needs exactly one stack`,
    hint: "Name one stack."
  }),
  configuration_missing: ({ kind }) => ({
    message: `a ${kind} needs a configuration, but there is none`,
    hint: "Say where the configuration is, or register a run, which needs none."
  }),
  strategy_unsupported: ({ lacks, possible, provider, stack, strategy }) => ({
    message: `${stack}: ${strategy} is not possible: the provider "${provider}" ${lackWords[lacks as keyof typeof lackWords] ?? words(lacks)}`,
    hint: lacks === "installation" ? "Install it, or choose another one." : `Choose one of ${list(possible)}.`
  }),
  text_unfit: ({ character, field }) => ({
    message: `${field} contains the character ${character}, which does not fit into one line`,
    hint: `Give ${field} as one line, without control characters and direction marks.`
  }),
  taken_twice: ({ other, resource, stack }) => ({
    message: `${other} and ${stack} both claim ${resource}`,
    hint: "Give one of them another value."
  }),
  unknown_metric_source: ({ known, source, stack }) => ({
    message: `${stack}: the metric source "${source}" is not installed`,
    hint: known.length === 0 ? "Leave metrics out, or install it." : `Installed are ${list(known)}.`
  }),
  alarms_unsupported: ({ provider, stack }) => ({
    message: `${stack}: the provider "${provider}" cannot read alarms`,
    hint: "Leave alarms out of the gate."
  }),
  logs_unsupported: ({ provider, stack }) => ({
    message: `${stack}: the provider "${provider}" cannot read logs`,
    hint: "Read them on the platform itself."
  }),
  unknown_release: ({ known, nearest, release }) => ({
    message: `there is no release "${release}" on record`,
    hint: known.length === 0 ? "Nothing was deployed here." : choose(nearest, known, "releases")
  }),
  invalid_metrics: ({ source, stack }, problem) => ({
    message: `${stack}: ${problem ?? "its metrics are invalid"}`,
    hint: `See the documentation of the metric source "${source}".`
  }),
  correlation_id_taken: ({ before, deployment, environment, execution, field, kind, now }) => ({
    message:
      field === undefined
        ? `${execution} already belongs to another execution: ${kind ?? "one"} of ${deployment ?? "another deployment"} in ${environment ?? "another environment"}`
        : `${execution} was requested with ${before === undefined ? `no ${field}` : `the ${field} ${before}`}, not ${now ?? "without"}`,
    hint: "Omit the correlation ID, or give a new one."
  }),
  deployment_id_taken: ({ deployment, owner, project }) => ({
    message: `${deployment} belongs to ${owner ?? "another project"}, not to ${project}`,
    hint: "Name the deployment by its ID."
  }),
  deployment_exists: ({ deployment }) => ({
    message: `the deployment ${deployment} already exists`,
    hint: "Omit the ID to get a new one."
  }),
  already_finished: ({ execution, status }) => ({
    message: `${execution} has already ended: ${words(status)}`,
    hint: "Deploy again with a new correlation ID."
  }),
  nothing_asked: ({ execution }) => `${execution} has no open question`,
  not_now: ({ command, execution, status }) => `${execution} cannot ${command} while it is ${words(status)}`,
  needs_its_command: ({ execution }) => `${execution} runs a command, which this process does not have`,
  only_observed: ({ execution }) => `${execution} is a foreign deployment, which is only observed`,
  nothing_to_roll_back: ({ deployment, environment, stacks }) => ({
    message:
      `${deployment} in ${environment} has no earlier release to roll back to` +
      (stacks.length === 0
        ? ""
        : `: ${stacks
            .map(({ params: { earlier, stack, version } }) => {
              const others = Array.isArray(earlier) ? earlier.join(", ") : ""
              return `${String(stack)} is at ${String(version)}${others === "" ? "" : ` and had ${others}`}`
            })
            .join("; ")}`),
    ...(stacks.some(({ params: { earlier } }) => Array.isArray(earlier) && earlier.length > 0)
      ? { hint: "Without --to, a rollback goes back one release." }
      : {})
  }),
  unknown_target: ({ deployment, environment, known, nearest, to }) => ({
    message: `${deployment} in ${environment} has no version and no completed execution "${to}" on record`,
    hint: choose(nearest, known, "versions")
  }),
  already_there: ({ deployment, environment, to }) => ({
    message: `${deployment} in ${environment} already has the releases of ${to}`,
    hint: "There is nothing to roll back."
  }),
  release_not_kept: ({ lacks, nearest, stack, to, version }) => ({
    message: `cannot roll back to ${to}: ${lackedWords(lacks, stack, version)}`,
    hint:
      nearest === undefined ? "Deploy that version again." : `The nearest execution that can be restored is ${nearest}.`
  })
}

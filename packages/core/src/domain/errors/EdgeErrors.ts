/**
 * Errors that only the edges know: command line, configuration files, the SDK. They are found and shown in one process, so
 * their texts stand where they are found; what they mean is registered here like everything else.
 */
import { error } from "./Registry.ts"

const usage = (meaning: string) => error("usage", "caller", {}, meaning)
const file = (meaning: string) => error("usage", "configuration", {}, meaning)

/** The errors of the edges. */
export const edgeErrors = {
  usage: usage("The command line is wrong."),
  unrecognized_option: usage("The command has no such flag."),
  duplicate_option: usage("A flag is given twice."),
  missing_option: usage("A required flag is missing."),
  missing_argument: usage("A required argument is missing."),
  unexpected_argument: usage("There is an argument too many."),
  invalid_value: usage("A flag or an argument has a wrong value."),
  unknown_subcommand: usage("There is no such command."),
  user_error: usage("The command line is wrong."),
  flags_conflict: usage("Two flags exclude each other."),
  confirmation_missing: usage("A destructive command needs --yes where it cannot ask."),
  cursor_invalid: usage("A page of the history has another cursor."),
  deployment_missing: usage("The command does not know which deployment is meant."),
  environment_missing: usage("The command does not know which environment is meant."),
  file_syntax: usage("A file given to the command has an error in its syntax."),
  file_unreadable: usage("A file given to the command cannot be read."),
  metadata_invalid: file("The metadata of the folder cannot be read."),
  example_exists: error("failed", "caller", {}, "The folder has an example, or files in its place."),
  example_unwritable: error("failed", "environment", {}, "The example cannot be written."),
  already_initialized: error("failed", "caller", {}, "The folder has a deployment."),
  input_invalid: usage("An argument of an SDK call is wrong."),
  opentelemetry_missing: usage("The program's OpenTelemetry was asked for, and its API is not installed."),
  configuration_invalid: file("The configuration has errors; `issues` lists them."),
  config_missing: file("The configuration file does not exist."),
  config_unreadable: file("The configuration file cannot be read."),
  config_syntax: file("The configuration file has an error in its syntax."),
  config_failed: file("The configuration file failed when it was loaded."),
  config_empty: file("The configuration file gives no configuration."),
  store_changed: file("The configuration names another store than the one that the folder's deployment is in."),
  notifications_off: file("Warning: no notifications are sent, because their configuration has errors."),
  plugin_missing: file("A plug-in of the configuration is not installed."),
  plugin_broken: file("A plug-in cannot be loaded, or is none."),
  plugin_incompatible: file("A plug-in is older or newer than this version of Signalbox can use."),
  plugin_conflict: file("Two plug-ins bring the same provider, store or command."),
  stack_dropped: error("failed", "configuration", {}, "Warning: a deployed stack is no longer in the configuration."),
  no_history: error("not_found", "caller", {}, "There is no execution to look at."),
  no_state: error("not_found", "caller", {}, "There is no store here."),
  nothing_in_progress: error("not_found", "caller", {}, "Nothing runs that could be monitored."),
  no_answer: error("unavailable", "environment", {}, "Neither the store nor a provider can be asked.", {
    retryable: true
  }),
  store_away: error("unavailable", "environment", {}, "Warning: the command runs without the store.", {
    retryable: true
  }),
  wait_timeout: error("timeout", "environment", {}, "The admission did not come while the command waited.", {
    retryable: true
  }),
  monitor_died: error("failed", "environment", {}, "The monitor kept dying."),
  closed: error("failed", "caller", {}, "The SDK connection is closed."),
  internal: error("failed", "signalbox", {}, "A defect of Signalbox."),
  cancelled: error("failed", "caller", {}, "The execution was cancelled before its admission."),
  failed: error("failed", "application", {}, "The execution failed before its admission."),
  rolled_back: error("failed", "application", {}, "The execution was rolled back.")
} as const
/** The code of an error of the edges. */
export type EdgeCode = keyof typeof edgeErrors

/** An error of the edges, as it is shown. */
export interface EdgeError {
  readonly code: EdgeCode
  readonly message: string
  readonly hint?: string
  readonly path?: string
}

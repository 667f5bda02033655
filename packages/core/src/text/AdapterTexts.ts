import type { commandErrors, providerErrors, storeErrors } from "../domain/errors/AdapterErrors.ts"
import type { CauseInfo, ParamsOf } from "../domain/errors/index.ts"
import { because, type Text, type Texts, words } from "./words.ts"

const said =
  (hint: string, otherwise: string) =>
  (params: ParamsOf<"conflict">, detail: string | undefined): Text => ({
    message: `${params.stack}: ${detail ?? otherwise}`,
    hint
  })

type ProviderTexts = Texts<keyof typeof providerErrors>

/** The first failure of a resource goes before the message that sums it up. */
const withCause = (say: (cause: CauseInfo) => string, all: ProviderTexts): ProviderTexts =>
  Object.fromEntries(
    Object.entries(all).map(([code, render]) => [
      code,
      (params: ParamsOf<"changed_outside">, detail: string | undefined) => {
        const text = render(params, detail)
        const { hint, message } = typeof text === "string" ? { message: text } : text
        const { cause, stack } = params
        return {
          message: cause === undefined ? message : `${stack}: ${say(cause)}; ${message.slice(stack.length + 2)}`,
          ...(hint === undefined ? {} : { hint })
        }
      }
    ])
  ) as ProviderTexts

export const providerTexts = (say: (cause: CauseInfo) => string): ProviderTexts =>
  withCause(say, {
    invalid_properties: said("Correct the stack's properties.", "the properties are invalid"),
    not_found: said("Check the name, or deploy it first.", "it does not exist"),
    stack_busy: ({ stack }, operation) => ({
      message: `${stack}: ${operation ?? "an operation"} is in progress`,
      hint: "Wait until it has finished."
    }),
    conflict: said("Signalbox reads it again and retries.", "it changed in the meantime"),
    changed_outside: ({ field, is, stack, was }, detail) => ({
      message: `${stack}: ${field} was changed outside Signalbox, from ${was} to ${is}${because(detail)}`,
      hint: "Undo that change or configure it, then deploy again."
    }),
    fenced: said("Another execution holds the lease now.", "a newer execution has already changed it"),
    throttled: said("Signalbox retries after a pause.", "the provider throttles calls"),
    provider_unavailable: said("Check that it is reachable.", "the provider does not answer"),
    credentials_expired: said("Renew the credentials, then try again.", "the credentials have expired"),
    access_denied: ({ action, principal, stack }, detail) => ({
      message: `${stack}: ${detail ?? "access was denied"}`,
      hint:
        action === undefined
          ? `Check the credentials and permissions${principal === undefined ? "" : ` of ${principal}`}.`
          : `Allow ${principal ?? "these credentials"} to use ${action}.`
    }),
    quota_exceeded: said(
      "Request a higher limit from the provider, or remove what you do not use.",
      "a quota is reached"
    ),
    unsupported: said("Choose another strategy or provider.", "the provider does not support it"),
    release_broken: said("Look at the release's own log.", "the release does not come up"),
    provider_failed: said("Run again with --log-level debug.", "the provider failed")
  })

const store =
  (hint: string) =>
  ({ operation }: ParamsOf<"store_full">, detail: string | undefined): Text => ({
    message: `${words(operation)}${because(detail)}`,
    hint
  })

export const storeTexts: Texts<keyof typeof storeErrors> = {
  store_unavailable: store("Check that the database can be reached and that no other program holds it."),
  store_full: store("Free disk space, then try again."),
  store_readonly: store("Make the folder of the store writable, or choose another folder with --directory."),
  store_corrupt: store("The store is damaged: restore a backup, or choose another folder with --directory."),
  newer_writer: store("Update Signalbox."),
  store_misconfigured: store(
    "Set SIGNALBOX_DATABASE_URL to postgres://user:password@host:5432/database, or to the URL of another store."
  ),
  store_unexpected: store("Run again with SIGNALBOX_DEBUG=1 to see more.")
}

export const commandTexts: Texts<keyof typeof commandErrors> = {
  command_missing: ({ command }) => ({
    message: `${command} was not found`,
    hint: command.includes("/")
      ? "Check the path; it is relative to the working directory."
      : `Check the spelling and the PATH. A command of the project may need "npx ${command}", and a shell builtin "sh -c".`
  }),
  command_not_executable: ({ command }) => ({
    message: `${command} is not executable`,
    hint: `Make it executable with: chmod +x ${command}`
  }),
  directory_missing: ({ directory }) => ({
    message: `there is no folder ${directory} to run the command in`,
    hint: "Name an existing folder."
  }),
  lease_ended: ({ command }) => ({
    message: `${command} was not started, because the lease had already ended`,
    hint: "Try again. On a slow machine, use a longer lease."
  }),
  guard_failed: ({ command }, detail) => ({
    message: `${command} could not be started${because(detail)}`,
    hint: "The command did not run. Check that this machine has enough memory, processes and file descriptors."
  })
}

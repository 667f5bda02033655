/** Errors of providers, of the store, and of starting a command. */
import { error } from "./Registry.ts"

/** `cause` is the first failure of a resource, where the operation failed because of one. */
const provider = { stack: "text", provider: "text?", operation: "text?", cause: "cause?" } as const
const store = { operation: "text" } as const
const again = { retryable: true } as const

export const providerErrors = {
  invalid_properties: error("usage", "configuration", provider, "The provider rejects the properties or the artifact."),
  not_found: error("not_found", "caller", provider, "The stack, release or artifact does not exist at the provider."),
  stack_busy: error("blocked", "provider", provider, "The provider has another operation in flight on the stack."),
  conflict: error("failed", "provider", provider, "The stack changed between reading and writing.", again),
  changed_outside: error(
    "failed",
    "environment",
    { ...provider, field: "text", was: "text", is: "text" },
    "A field that the plan relied on was changed outside."
  ),
  fenced: error("failed", "environment", provider, "The provider has seen a newer fencing token."),
  throttled: error("unavailable", "provider", provider, "The provider limits the rate of calls.", again),
  provider_unavailable: error("unavailable", "provider", provider, "The provider did not answer.", again),
  credentials_expired: error("failed", "environment", provider, "The credentials for the provider ran out.", again),
  access_denied: error(
    "failed",
    "environment",
    { ...provider, action: "text?", principal: "text?" },
    "Credentials are missing or insufficient."
  ),
  quota_exceeded: error("failed", "environment", provider, "A limit of the account at the provider is reached."),
  unsupported: error("usage", "configuration", provider, "The provider lacks a capability."),
  release_broken: error("failed", "application", provider, "The release does not come up."),
  provider_failed: error("failed", "provider", provider, "The provider gave an answer that the adapter does not know.")
} as const

export const storeErrors = {
  store_unavailable: error("unavailable", "environment", store, "The store cannot be reached.", again),
  store_full: error("unavailable", "environment", store, "The store has no room left."),
  store_readonly: error("unavailable", "environment", store, "The store cannot be written."),
  store_corrupt: error("unavailable", "environment", store, "The store holds something that this version cannot read."),
  newer_writer: error("unavailable", "environment", store, "A newer version wrote it, and this one only reads it."),
  store_misconfigured: error("usage", "configuration", store, "The address or the credentials of the store are wrong."),
  store_unexpected: error("unavailable", "environment", store, "The store failed in an unknown way.")
} as const

export const commandErrors = {
  command_missing: error("failed", "caller", { command: "text" }, "The command does not exist."),
  command_not_executable: error("failed", "caller", { command: "text" }, "The command cannot be executed."),
  directory_missing: error("failed", "caller", { directory: "text" }, "The working directory does not exist."),
  lease_ended: error(
    "failed",
    "environment",
    { command: "text" },
    "The lease ended before the command started.",
    again
  ),
  guard_failed: error(
    "failed",
    "environment",
    { command: "text" },
    "The process that guards a command could not start."
  )
} as const

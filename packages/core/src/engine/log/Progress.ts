import type { EventOf } from "../../domain/Event.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { ProviderEvent } from "../../spi/Provider.ts"

/** Stored and shown text contains no passwords, even if a platform reports them. */
export const withoutPasswords = (text: string): string =>
  text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/?#\s@]+@/gi, "$1***@").slice(0, 2_000)

/** A provider's event as the log keeps it, whether a step or a monitor hears it. */
export const progressReported = (
  stack: StackName,
  { at, done, failed, message, resource, resourceType, url }: ProviderEvent
): EventOf<"ProgressReported"> => ({
  _tag: "ProgressReported",
  stack,
  message: withoutPasswords(message),
  happenedAt: Math.floor(at),
  ...(resource === undefined ? {} : { resource }),
  ...(resourceType === undefined ? {} : { resourceType }),
  ...(done === undefined ? {} : { done }),
  ...(failed === undefined ? {} : { failed }),
  ...(url === undefined ? {} : { url })
})

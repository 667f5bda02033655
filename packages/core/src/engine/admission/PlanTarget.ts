/**
 * Where a plan leads to, compared with what the environment is configured with.
 */
import { type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import type { StackPlan } from "../../domain/Release.ts"
import type { StackRef } from "../../spi/Provider.ts"

/** The error of a plan that leads to another account or region. */
export const wrongTarget = (
  ref: Pick<StackRef, "account" | "region" | "stack">,
  { target = {} }: StackPlan
): ErrorInfo | undefined => {
  for (const field of ["account", "region"] as const) {
    const configured = ref[field]
    const actual = target[field]
    if (configured === undefined || actual === undefined || configured === actual) continue
    return errorInfo("target_differs", { stack: ref.stack, field, configured, actual, principal: target.principal })
  }
  return undefined
}

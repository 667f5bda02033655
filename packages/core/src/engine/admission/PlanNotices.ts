/**
 * What the engine adds to a provider's plan: warnings, as data, about what it will not be able to do.
 */
import { type CauseInfo, causeInfo } from "../../domain/errors/index.ts"
import type { StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { Provider } from "../../spi/Provider.ts"

const noticesOf = (stack: StackSpec, provider: Provider, plan: StackPlan): ReadonlyArray<CauseInfo> => {
  if (plan.action === "none") return []
  const compares = stack.gate.compare !== undefined && plan.checkpoint.release !== null
  return compares && provider.metrics?.samples === false ? [causeInfo("response_times_not_compared", {})] : []
}

/** The plan with its notices. */
export const withNotices = (stack: StackSpec, provider: Provider, plan: StackPlan): StackPlan => {
  const notices = [...(plan.notices ?? []), ...noticesOf(stack, provider, plan)]
  return notices.length === 0 ? plan : { ...plan, notices }
}

/**
 * The facade's answers about stacks: what a request would do to them, and how their providers see them.
 */
import type { StackName } from "../domain/Ids.ts"
import type { StackPlan } from "../domain/Release.ts"
import type { Observation } from "../spi/Provider.ts"
import type { ProviderError } from "../spi/ProviderError.ts"

/**
 * One line of a plan. `plan` is null if it waits for outputs, named in `waitsFor`, that do not exist yet.
 */
export interface PlannedStack {
  readonly name: StackName
  readonly provider: string
  readonly dependsOn: ReadonlyArray<StackName>
  readonly plan: StackPlan | null
  readonly waitsFor: ReadonlyArray<string>
  readonly irreversible?: string
}

/** One stack as its provider sees it now. */
export interface ObservedStack {
  readonly name: StackName
  readonly provider: string
  readonly observation: Observation | ProviderError
}

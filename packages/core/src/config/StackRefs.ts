/**
 * How providers are told which stack they are asked about.
 */
import type { Outputs } from "../domain/Release.ts"
import type { ExecutionSpec, StackSpec } from "../domain/Spec.ts"
import type { PlaceRef, StackRef } from "../spi/Provider.ts"
import { fillIn } from "./OutputSubstitution.ts"

type Place = Pick<StackRef, "deploymentId" | "environment">
type Settings = Pick<ExecutionSpec, "region" | "account">

/**
 * The place of a stack: its own region and account go before the settings of the whole execution.
 */
export const placeRefOf = (
  { deploymentId, environment }: Place,
  settings: Settings,
  stack: Pick<StackSpec, "region" | "account">
): PlaceRef => {
  const region = stack.region ?? settings.region
  const account = stack.account ?? settings.account
  return {
    deploymentId,
    environment,
    ...(region === undefined ? {} : { region }),
    ...(account === undefined ? {} : { account })
  }
}

/**
 * The reference of a stack, with its properties resolved from outputs; `missing` are the unknown ones, which become
 * null.
 */
export const stackRefOf = (
  place: Place,
  settings: Settings,
  stack: StackSpec,
  outputs: ReadonlyMap<string, Outputs>
): { readonly ref: StackRef; readonly missing: ReadonlyArray<string> } => {
  const { missing, value } = fillIn(stack.properties, outputs)
  return { ref: { ...placeRefOf(place, settings, stack), stack: stack.name, properties: value }, missing }
}

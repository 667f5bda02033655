/**
 * How a port names the stack that it is asked about.
 */
import type { DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { Json } from "../domain/Release.ts"

/**
 * A stack in its environment: the input of read-only operations.
 */
export interface StackRef {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly stack: StackName
  /** The stack's properties as configured, checked with `Provider.properties`; outputs of other stacks are resolved. */
  readonly properties: Json
  readonly region?: string
  readonly account?: string
}

/** What a lease covers: all stacks of a deployment in one environment. */
export type PlaceRef = Pick<StackRef, "deploymentId" | "environment" | "region" | "account">

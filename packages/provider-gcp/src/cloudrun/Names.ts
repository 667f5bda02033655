/**
 * The names of services, revisions and tags, within the limits of Cloud Run.
 */
import type { StackRef } from "@signalbox/core/spi"

/** The longest name of a service. */
export const longestService = 49

/** The longest name of a service and one of its tags, together: both are in one label of a host name. */
export const longestTagged = 46

/** The name of a stack's service, if its properties do not say one. */
export const defaultService = ({ deploymentId, environment, stack }: StackRef): string =>
  [deploymentId, environment, stack]
    .join("-")
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, "-")

/** The name of the revision that runs a release. A repeat finds it by this name, and makes no second one. */
export const revisionOf = (service: string, releaseId: string): string => `${service}-${releaseId.slice(0, 8)}`

/** The name of another revision of the same release, which a step needs: after a failure, or to restart it. */
export const anotherRevisionOf = (service: string, releaseId: string, step: string): string =>
  `${revisionOf(service, releaseId)}-${step.slice(0, 4)}`

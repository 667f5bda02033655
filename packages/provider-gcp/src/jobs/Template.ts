/**
 * The template of a job's executions, from the properties of a stack.
 */
import { digestOf } from "../marks.ts"
import type { JsonObject } from "../cloudrun/RunService.ts"
import { containerOf, releaseOfImage } from "../cloudrun/Template.ts"
import type { JobProperties } from "./JobProperties.ts"

/** What a release brings to the job; fields without a value are left to Cloud Run. */
export const templateOf = (properties: JobProperties, image: string): JsonObject => {
  const { maxRetries, parallelism, serviceAccount, tasks, timeoutSeconds } = properties
  return {
    taskCount: tasks,
    ...(parallelism === undefined ? {} : { parallelism }),
    template: {
      containers: [containerOf(properties, image)],
      maxRetries,
      ...(timeoutSeconds === undefined ? {} : { timeout: { seconds: timeoutSeconds } }),
      ...(serviceAccount === undefined ? {} : { serviceAccount })
    }
  }
}

/** The release of an image with these properties. */
export const releaseFrom = (version: string, image: string, properties: JobProperties) =>
  releaseOfImage(version, image, digestOf(templateOf(properties, "")))

/**
 * The template of a revision, from the properties of a stack.
 */
import type { Release } from "@signalbox/core/spi"
import { digestOf } from "../marks.ts"
import type { Properties } from "./Properties.ts"
import type { JsonObject } from "./RunService.ts"

/** What services and jobs say of their container. */
type ContainerProperties = Pick<Properties, "args" | "command" | "cpu" | "env" | "memory" | "secrets"> & {
  readonly port?: number
}

/** A container; fields without a value are left to Cloud Run. */
export const containerOf = (properties: ContainerProperties, image: string): JsonObject => {
  const { args, command, cpu, env, memory, port, secrets } = properties
  const variables = [
    ...Object.entries(env).map(([name, value]) => ({ name, value: String(value) })),
    ...Object.entries(secrets).map(([name, reference]) => {
      const [secret = "", version = "latest"] = reference.split(":")
      return { name, valueSource: { secretKeyRef: { secret, version } } }
    })
  ]
  const limits = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) }
  return {
    image,
    ...(port === undefined ? {} : { ports: [{ containerPort: port }] }),
    ...(command === undefined ? {} : { command }),
    ...(args === undefined ? {} : { args }),
    ...(variables.length === 0 ? {} : { env: variables }),
    // Without `cpuIdle`, the limits of a service would also mean that CPU is always allocated. Jobs do not have it.
    ...(Object.keys(limits).length === 0
      ? {}
      : { resources: port === undefined ? { limits } : { limits, cpuIdle: true } })
  }
}

/** What a release brings to Cloud Run; fields without a value are left to it. */
export const templateOf = (properties: Properties, image: string): JsonObject => {
  const { concurrency, maxInstances, minInstances, serviceAccount, timeoutSeconds } = properties
  const scaling = {
    ...(minInstances === undefined ? {} : { minInstanceCount: minInstances }),
    ...(maxInstances === undefined ? {} : { maxInstanceCount: maxInstances })
  }
  return {
    containers: [containerOf(properties, image)],
    ...(Object.keys(scaling).length === 0 ? {} : { scaling }),
    ...(concurrency === undefined ? {} : { maxInstanceRequestConcurrency: concurrency }),
    ...(timeoutSeconds === undefined ? {} : { timeout: { seconds: timeoutSeconds } }),
    ...(serviceAccount === undefined ? {} : { serviceAccount })
  }
}

/** The release of an image with these properties. */
export const releaseFrom = (version: string, image: string, properties: Properties): Release =>
  releaseOfImage(version, image, digestOf(templateOf(properties, "")))

/** The release of an image, which is another one with another configuration. */
export const releaseOfImage = (version: string, image: string, configDigest: string): Release => {
  const digest = /@(sha256:[0-9a-f]+)$/.exec(image)?.[1]
  return {
    id: digestOf([image, configDigest]).slice(0, 24),
    version,
    artifact: image,
    ...(digest === undefined ? {} : { digest }),
    configDigest
  }
}

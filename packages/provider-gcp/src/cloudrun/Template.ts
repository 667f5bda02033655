/**
 * The template of a revision, from the properties of a stack.
 */
import type { Release } from "@signalbox/core/spi"
import { digestOf } from "./Names.ts"
import type { Properties } from "./Properties.ts"
import type { JsonObject } from "./RunService.ts"

/** What a release brings to Cloud Run; fields without a value are left to it. */
export const templateOf = (properties: Properties, image: string): JsonObject => {
  const { args, command, concurrency, cpu, env, maxInstances, memory, minInstances, port } = properties
  const { secrets, serviceAccount, timeoutSeconds } = properties
  const variables = [
    ...Object.entries(env).map(([name, value]) => ({ name, value: String(value) })),
    ...Object.entries(secrets).map(([name, reference]) => {
      const [secret = "", version = "latest"] = reference.split(":")
      return { name, valueSource: { secretKeyRef: { secret, version } } }
    })
  ]
  const limits = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) }
  const scaling = {
    ...(minInstances === undefined ? {} : { minInstanceCount: minInstances }),
    ...(maxInstances === undefined ? {} : { maxInstanceCount: maxInstances })
  }
  return {
    containers: [
      {
        image,
        ports: [{ containerPort: port }],
        ...(command === undefined ? {} : { command }),
        ...(args === undefined ? {} : { args }),
        ...(variables.length === 0 ? {} : { env: variables }),
        // Without `cpuIdle`, limits would also mean that CPU is always allocated.
        ...(Object.keys(limits).length === 0 ? {} : { resources: { limits, cpuIdle: true } })
      }
    ],
    ...(Object.keys(scaling).length === 0 ? {} : { scaling }),
    ...(concurrency === undefined ? {} : { maxInstanceRequestConcurrency: concurrency }),
    ...(timeoutSeconds === undefined ? {} : { timeout: { seconds: timeoutSeconds } }),
    ...(serviceAccount === undefined ? {} : { serviceAccount })
  }
}

/** The release of an image with these properties. */
export const releaseFrom = (version: string, image: string, properties: Properties): Release => {
  const configDigest = digestOf(templateOf(properties, ""))
  const digest = /@(sha256:[0-9a-f]+)$/.exec(image)?.[1]
  return {
    id: digestOf([image, configDigest]).slice(0, 24),
    version,
    artifact: image,
    ...(digest === undefined ? {} : { digest }),
    configDigest
  }
}

import { trace } from "@opentelemetry/api"
import { NodeSDK } from "@opentelemetry/sdk-node"
import { connect } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"

const [version = "1.0.0"] = process.argv.slice(2)
const directory = ".signalbox"
const properties = { command: ["node", "server.mjs"], artifact: "./web" }
const web = { name: "web", provider: "local", gate: { interval: "1 second" }, properties } as const
const environments = { production: {} }
const configuration = { organization: "acme", project: "shop", environments, stacks: [web] } as const

const sdk = new NodeSDK({ serviceName: "release" })
sdk.start()

const providers = [LocalProvider.make({ directory })]
const signalbox = await connect({ directory, providers, telemetry: "host" })
await trace.getTracer("release").startActiveSpan(`release ${version}`, async (span) => {
  const [known] = await signalbox.deployments.list()
  const { deploymentId } = known ?? (await signalbox.deployments.init({ configuration }))
  const execution = await signalbox.deploy({ configuration, deploymentId, environment: "production", version })
  const { status } = await execution.done
  console.log(execution.correlationId, status)
  span.end()
})
await signalbox.close()
await sdk.shutdown()

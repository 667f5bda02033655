import { connect } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"

const directory = ".signalbox"
const properties = { command: ["node", "server.mjs"], artifact: "./web" }
const web = { name: "web", provider: "local", gate: { interval: "1 second" }, properties } as const
const environments = { production: {} }
const configuration = { organization: "acme", project: "shop", environments, stacks: [web] } as const

const signalbox = await connect({ directory, providers: [LocalProvider.make({ directory })] })
const { deploymentId } = await signalbox.deployments.init({ configuration })
const release = { configuration, deploymentId, environment: "production", version: "1.0.0" }
const execution = await signalbox.deploy(release)
const state = await execution.done // completed, failed or rolled_back
console.log(state.status, state.stacks[0]?.outputs["url"])
await signalbox.close()

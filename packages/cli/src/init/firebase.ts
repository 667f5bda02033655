/**
 * The files of `init --template firebase`: a configuration, and a site to begin with.
 */
import type { Template } from "./write.ts"

const config = `// From here: npm install --save-dev @signalbox/core @signalbox/provider-gcp, signalbox init, signalbox deploy --dry-run
import { defineConfig } from "@signalbox/core"
import { firebaseHosting, gcp } from "@signalbox/provider-gcp"

export default defineConfig({
  organization: "acme",
  project: "hello",

  // account is the project. A plan that leads to another one is rejected.
  environments: { production: { account: "acme-prod" } },

  plugins: [gcp()],

  stacks: [
    firebaseHosting({
      name: "web",

      // The candidate is on a preview channel before it goes live.
      strategy: { type: "blue_green", bake: "1 minute" },

      // The site has to exist: firebase hosting:sites:create acme-hello. Its settings are in firebase.json.
      properties: { site: "acme-hello" }
    })
  ]
})
`

const settings = `{
  "hosting": {
    "public": "public",
    "ignore": ["firebase.json", "**/.*", "**/node_modules/**"],
    "cleanUrls": true
  }
}
`

const page = `<!doctype html>
<title>hello</title>
<p>hello</p>
`

export const firebase: Template = [
  ["signalbox.config.ts", config],
  ["firebase.json", settings],
  ["public/index.html", page]
]

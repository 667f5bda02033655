/**
 * Writes what `signalbox init --template adapter` begins a package with: the example of a provider without Effect, which is
 * tested here.
 *
 *     node scripts/templates.ts             writes it
 *     node scripts/templates.ts --check     fails where it is not current
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { manifest, root } from "./repository.ts"

const example = join(root, "examples", "sdk-provider-plain")
const { devDependencies = {} } = manifest(root)

const own = JSON.stringify(
  {
    name: "NAME",
    version: "0.1.0",
    description: "A provider for Signalbox.",
    type: "module",
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    files: ["dist"],
    scripts: { build: "tsc -p tsconfig.build.json", prepack: "npm run build", test: "vitest run", types: "tsc" },
    devDependencies: {
      "@effect/vitest": devDependencies["@effect/vitest"],
      "@signalbox/core": "VERSION",
      "@types/node": devDependencies["@types/node"],
      effect: devDependencies["effect"],
      typescript: devDependencies["typescript"],
      vitest: devDependencies["vitest"]
    }
  },
  null,
  2
)
const compiler = JSON.stringify(
  {
    compilerOptions: {
      target: "ES2024",
      module: "NodeNext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      types: ["node"]
    },
    include: ["*.ts"]
  },
  null,
  2
)
// Node strips no types in `node_modules`, so that what is published is JavaScript.
const build = JSON.stringify(
  {
    extends: "./tsconfig.json",
    compilerOptions: {
      noEmit: false,
      outDir: "dist",
      declaration: true,
      allowImportingTsExtensions: false,
      rewriteRelativeImportExtensions: true
    },
    exclude: ["*.test.ts"]
  },
  null,
  2
)
const readme = `# NAME

A provider for [Signalbox](https://www.npmjs.com/package/@signalbox/core). As generated, it publishes static sites on one host and passes the conformance
suite. Replace \`Site.ts\` by your platform, operation by operation, and keep the suite green:

    npm install
    npm test

- \`index.ts\` is the plug-in: its name, its kinds of stacks, and what they can do. Users name this package in \`plugins\` of their
  configuration, and a stack says \`provider: "site"\`.
- \`Site.ts\` implements the operations. Nothing is loaded before the first one is called.
- \`Site.test.ts\` runs the conformance suite. Its probe looks at the platform past the provider.

\`docs/writing-a-provider.md\` of Signalbox has the rules for every operation, and why.

## Use it

\`npm pack\` compiles the package to JavaScript, because Node does not load TypeScript from \`node_modules\`, and makes a tarball. \`npm publish\` does the same.
Install it in the project that deploys, beside \`@signalbox/cli\`:

    npm install --save-dev ../NAME-0.1.0.tgz

\`signalbox.config.yaml\` there:

    organization: acme
    project: pages
    environments: { production: {} }
    plugins: ["NAME"]
    stacks:
      - { name: home, provider: site }

Then, with a folder \`site\` that has an \`index.html\`:

    npx signalbox init
    npx signalbox deploy --version v1 --artifact ./site

To try out changes without a tarball, run \`npm run build\` here, and \`npm install --save-dev <this folder>\` once there, which makes a link.
`

const files = [
  ["package.json", own],
  ["tsconfig.json", compiler],
  ["tsconfig.build.json", build],
  [".gitignore", "node_modules\ndist\n"],
  ["README.md", readme],
  ...["index.ts", "Site.ts", "Site.test.ts"].map((name) => [name, readFileSync(join(example, name), "utf8")])
].map(([name, text]) => [name, `${text!.trimEnd()}\n`.replaceAll("@signalbox-examples/sdk-provider-plain", "NAME")])

const target = join(root, "packages/cli/src/init/adapterFiles.ts")
const module = `/** Written by scripts/templates.ts from examples/sdk-provider-plain. NAME and VERSION are filled in. */
import type { Template } from "./write.ts"

export const adapterFiles: Template = ${JSON.stringify(files, null, 2)}
`
if (!process.argv.includes("--check")) writeFileSync(target, module)
else if (readFileSync(target, "utf8") !== module) {
  console.error(`${target.slice(root.length + 1)} is not current: node scripts/templates.ts`)
  process.exitCode = 1
}

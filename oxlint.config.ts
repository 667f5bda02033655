import { defineConfig } from "oxlint"
import { houseRules } from "./tools/oxlint/houseRules.ts"

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "oxc", "vitest"],
  categories: { correctness: "error", suspicious: "error" },
  ignorePatterns: ["**/dist/**", "**/node_modules/**", "**/fixtures/**"],
  rules: {
    "import/no-cycle": "error",
    "typescript/no-explicit-any": "error",
    "typescript/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
    "no-console": "error",
    // `_tag` is how Effect names a variant, and a parameter that repeats an outer name is often the plainest word.
    "no-underscore-dangle": "off",
    "no-shadow": "off",
    // An Effect is not a promise, and generators without a yield are how some of them are written.
    "require-yield": "off",
    "unicorn/consistent-function-scoping": "off",
    // Sorting happens on private copies.
    "unicorn/no-array-sort": "off",
    "unicorn/no-array-reverse": "off",
    // Terminals are spoken to, and JSON is read, in control characters.
    "no-control-regex": "off",
    // Another fiber, process or handler changes it.
    "no-unmodified-loop-condition": "off"
  },
  overrides: [
    ...houseRules,
    {
      files: ["**/*.test.ts"],
      rules: {
        // Property tests and tests that return an Effect are made by functions that the plugin does not know as tests.
        "vitest/no-standalone-expect": "off",
        "vitest/no-conditional-expect": "off",
        "vitest/expect-expect": "off",
        "vitest/valid-expect": ["error", { maxArgs: 2 }]
      }
    },
    // A process of its own, whose standard error is its log.
    { files: ["packages/provider-local/src/supervisor/Supervisor.ts"], rules: { "no-console": "off" } },
    // The entry of the bundle loads its other parts.
    { files: ["packages/cli/src/main/signalbox.ts"], rules: { "import/no-unassigned-import": "off" } },
    { files: ["bench/**"], rules: { "no-console": "off" } },
    { files: ["packages/*/test/**"], rules: { "typescript/no-explicit-any": "off" } }
  ]
})

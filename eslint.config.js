import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Law 1 of the house: arrows point down. */
const below = (...forbidden) => [
  'error',
  { patterns: [{ group: forbidden, message: 'Arrows point down (docs/architecture.md).' }] },
];

export default defineConfig(
  { ignores: ['dist', 'coverage', 'node_modules'] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.js', 'bin/*.js', '.ci/*.js', 'src/native/*.js', 'test/native/*.js'],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // Interfaces promise; not every implementation has to wait.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      // Only ASCII text is taken apart by characters.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      // Numbers in messages are what they look like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => void call()` is how a callback drops a result on purpose.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
    },
  },
  { files: ['src/lib/**'], rules: { 'no-restricted-imports': below('**/commands/**', '**/daemon/**') } },
  { files: ['src/daemon/**'], rules: { 'no-restricted-imports': below('**/commands/**') } },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);

"""Pure: words behind an ``@`` that are no mention: decorators and tags, and the scopes of packages."""

from __future__ import annotations

_DECORATORS = (
    "property staticmethod classmethod dataclass override overload cache lru_cache cached_property "
    "wraps contextmanager asynccontextmanager abstractmethod final fixture parametrize pytest patch "
    "given total_ordering singledispatch njit jit task shared_task app router api route blueprint "
    "login_required Override Deprecated SuppressWarnings FunctionalInterface SafeVarargs Test "
    "BeforeEach AfterEach Before After Autowired Bean Component Configuration Controller RestController "
    "Service Repository Entity Table Id Column GetMapping PostMapping RequestMapping RequestBody "
    "PathVariable Inject Injectable Module Input Output Directive Pipe NgModule Get Post Put Delete "
    "Patch Body Param Query Data Builder Getter Setter param returns return throws deprecated see link "
    "type typedef template example since author version media import keyframes font-face supports apply "
    "tailwind layer include mixin extend main State Binding Published ObservedObject EnvironmentObject "
    "MainActor available escaping autoclosure objc discardableResult "
)
DECORATORS = frozenset(_DECORATORS.split())
"""Also annotations, tags of documentation and rules of style sheets: those that people ask about."""

_SCOPES = (
    "angular apollo astrojs aws-cdk aws-sdk azure babel chakra-ui clerk cloudflare emotion eslint expo "
    "fastify firebase fortawesome google-cloud graphql-codegen hapi headlessui heroicons hookform ionic "
    "jest jridgewell koa mantine mdx-js microsoft mui nestjs next ngrx npmcli nrwl nuxt nx octokit "
    "opentelemetry playwright popperjs prisma radix-ui react-native react-navigation reduxjs remix-run "
    "rollup sentry shopify sinclair storybook stripe supabase sveltejs swc tailwindcss tanstack "
    "testing-library tiptap trpc types typescript-eslint vercel vitejs vitest vue vueuse webassemblyjs "
    "xstate "
)
SCOPES = frozenset(_SCOPES.split())
"""Of packages, as in ``@types/node``."""

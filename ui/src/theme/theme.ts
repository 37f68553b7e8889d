import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

// One accent for the brand, focus and the primary action. Shade 7 fills buttons
// in the light theme: the brand tone itself is too light to carry white text.
const teal: MantineColorsTuple = [
  '#E6F7F5',
  '#CFEFEB',
  '#A0DED6',
  '#5FD0C2',
  '#2DD4BF',
  '#17A999',
  '#0E8C7F',
  '#0B7469',
  '#095E56',
  '#064841',
];

// Mantine's greys, replaced by ours so that no part of the kit brings its own.
const dark: MantineColorsTuple = [
  '#E6EDF3',
  '#C3CCD6',
  '#9AA7B4',
  '#6B7988',
  '#2A3644',
  '#243040',
  '#151D28',
  '#121821',
  '#0B0F14',
  '#0B0F14',
];

const gray: MantineColorsTuple = [
  '#F7F8FA',
  '#F1F3F6',
  '#E3E7EC',
  '#D3D9E0',
  '#B9C2CC',
  '#8A95A1',
  '#55616E',
  '#414B56',
  '#28313B',
  '#10161D',
];

export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  colors: { teal, dark, gray },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'JetBrains Mono', ui-monospace, SFMono-Regular, Menlo, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '8px', xl: '8px' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '20px', lineHeight: '28px' }, h2: { fontSize: '14px', lineHeight: '20px' } },
  },
  components: {
    Modal: {
      defaultProps: {
        centered: true,
        overlayProps: { backgroundOpacity: 0.5 },
        transitionProps: { duration: 140 },
      },
      styles: {
        content: { background: 'var(--surface)', border: '1px solid var(--line)' },
        header: { background: 'var(--surface)' },
        title: { fontWeight: 600 },
      },
    },
    Tooltip: { defaultProps: { openDelay: 350, transitionProps: { duration: 120 }, fz: 12 } },
    Menu: { defaultProps: { transitionProps: { duration: 120 }, shadow: 'md' } },
    Button: {
      defaultProps: { size: 'xs', fw: 550 },
      vars: (_theme: unknown, props: { variant?: string }) => ({
        root: !props.variant || props.variant === 'filled' ? { '--button-color': 'var(--on-accent)' } : {},
      }),
    },
    TextInput: { defaultProps: { size: 'sm', withAsterisk: false } },
    PasswordInput: { defaultProps: { size: 'sm', withAsterisk: false } },
    Autocomplete: { defaultProps: { size: 'sm', withAsterisk: false } },
    Radio: { defaultProps: { size: 'xs' }, styles: { label: { fontSize: 14 } } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right' } },
    Textarea: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
  },
});

export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  dark: {
    '--mantine-color-body': '#0B0F14',
    '--mantine-color-text': '#E6EDF3',
    '--mantine-color-dimmed': '#9AA7B4',
    '--mantine-color-default': '#121821',
    '--mantine-color-default-hover': '#18212C',
    '--mantine-color-default-color': '#E6EDF3',
    '--mantine-color-default-border': '#2A3644',
    '--mantine-color-placeholder': '#8593A1',
    '--mantine-color-anchor': '#2DD4BF',
    '--mantine-color-error': '#FB7185',
    '--mantine-primary-color-contrast': '#06201D',
  },
  light: {
    '--mantine-color-body': '#F7F8FA',
    '--mantine-color-text': '#10161D',
    '--mantine-color-dimmed': '#55616E',
    '--mantine-color-default': '#FFFFFF',
    '--mantine-color-default-hover': '#F1F3F6',
    '--mantine-color-default-color': '#10161D',
    '--mantine-color-default-border': '#D3D9E0',
    '--mantine-color-placeholder': '#66727F',
    '--mantine-color-anchor': '#0B7469',
    '--mantine-color-error': '#BE123C',
    '--mantine-primary-color-contrast': '#FFFFFF',
  },
});

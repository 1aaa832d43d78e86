import { describe, expect, test } from 'vitest';
import { NorimakiError } from '../../core/errors.ts';
import type { NorikvOptions } from './options.ts';
import { settingsOf } from './settings.ts';

function refusalOf(options: unknown): NorimakiError | undefined {
  try {
    // A program without types may pass anything.
    settingsOf(options as NorikvOptions);
    return undefined;
  } catch (error) {
    if (error instanceof NorimakiError) return error;
    throw error;
  }
}

const HERE = ['127.0.0.1:7447', 'localhost:1', '[::1]:7447', '127.9.9.9:65535'];
const ELSEWHERE = ['10.0.0.1:7447', 'example.org:7447', '[2001:db8::1]:7447', 'localhost.example.org:1', '0.0.0.0:1'];

describe('TLS', () => {
  test.each(HERE)('is left out to this machine: %s', (address) => {
    expect(settingsOf({ nodes: [address] }).tls).toBeUndefined();
  });

  test.each(ELSEWHERE)('is on to any other: %s', (address) => {
    expect(settingsOf({ nodes: [address] }).tls).toEqual({});
    expect(settingsOf({ nodes: ['127.0.0.1:1', address] }).tls).toEqual({});
    expect(settingsOf({ nodes: [address], insecure: true }).tls).toBeUndefined();
  });

  test('is on to this machine where it is asked for', () => {
    expect(settingsOf({ nodes: ['127.0.0.1:1'], tls: {} }).tls).toEqual({});
  });
});

test('a token goes nowhere in plaintext but to this machine', () => {
  const credentials = { token: 'secret' };
  expect(refusalOf({ nodes: ['127.0.0.1:1'], credentials })).toBeUndefined();
  expect(refusalOf({ nodes: ['example.org:1'], credentials })).toBeUndefined();
  const error = refusalOf({ nodes: ['example.org:1'], credentials, insecure: true });
  expect(error?.code).toBe('argument.invalid');
  expect(error?.message).not.toContain('secret');
});

const nodes = ['127.0.0.1:7447'];
test.each<[string, unknown]>([
  ['nodes', {}],
  ['nodes', { nodes: [] }],
  ['nodes', { nodes: '127.0.0.1:7447' }],
  ['nodes', { nodes: ['127.0.0.1'] }],
  ['nodes', { nodes: ['127.0.0.1:0'] }],
  ['nodes', { nodes: ['127.0.0.1:65536'] }],
  ['nodes', { nodes: ['::1:7447'] }],
  ['nodes', { nodes: ['[1.2.3.4]:7447'] }],
  ['nodes', { nodes: ['dns:///a:1'] }],
  ['nodes', { nodes: [7447] }],
  ['nodes', { nodes: { a: '127.0.0.1:1', b: '127.0.0.1:1' } }],
  ['insecure', { nodes, tls: {}, insecure: true }],
  ['tls', { nodes, tls: { cert: 'x' } }],
  ['tls', { nodes, tls: { key: 'x' } }],
  ['credentials', { nodes, credentials: { token: '' } }],
  ['credentials', { nodes, credentials: { token: 'two\nlines' } }],
  ['credentials', { nodes, credentials: {} }],
  ['shards', { nodes, shards: 0 }],
  ['shards', { nodes, shards: 1.5 }],
  ['timeout', { nodes, timeout: 0 }],
  ['timeout', { nodes, timeout: 'soon' }],
  ['extension', { nodes, extension: 'maybe' }],
  ['largeValues', { nodes, largeValues: 'ignore' }],
])('a bad %s is refused: %j', (argument, options) => {
  expect(refusalOf(options)).toMatchObject({ code: 'argument.invalid', details: { argument } });
});

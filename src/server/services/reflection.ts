import type { Server } from '@grpc/grpc-js';
import { FILE_DESCRIPTORS } from '../../wire/generated/descriptors.ts';
import { loadOptional } from '../../wire/optional.ts';

type Service = Parameters<Server['addService']>;

/** By the names of what is served. The package reads files for each, and what it makes holds no state. */
const made = new Map<string, Promise<readonly Service[]>>();

/** gRPC's reflection, where the package is installed: tools such as grpcurl learn from it what there is to call. */
export async function addReflection(server: Server, names: readonly string[]): Promise<void> {
  const key = names.join();
  const services = made.get(key) ?? servicesOf(names);
  made.set(key, services);
  for (const service of await services) server.addService(...service);
}

async function servicesOf(names: readonly string[]): Promise<Service[]> {
  const services: Service[] = [];
  const reflection = await loadOptional('@grpc/reflection', () => import('@grpc/reflection'));
  if (reflection === undefined) return services;
  const fileDescriptorProtos = FILE_DESCRIPTORS.map((text) => Buffer.from(text, 'base64'));
  // Of a package definition it reads nothing but the descriptors, which any of its entries may bring.
  const definition = { norimaki: { fileDescriptorProtos } } as unknown as ReflectionInput;
  // Of a server it uses nothing else.
  const listener = { addService: (...service: Service) => services.push(service) } as unknown as Server;
  new reflection.ReflectionService(definition, { services: [...names] }).addToServer(listener);
  return services;
}

type ReflectionInput = ConstructorParameters<typeof import('@grpc/reflection').ReflectionService>[0];

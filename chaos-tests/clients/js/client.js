'use strict'
// The conversation in JavaScript, on kafkajs. See ../README.md.
const readline = require('node:readline')
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const SnappyCodec = require('kafkajs-snappy')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
const TYPES = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }
const PATIENCE_MS = 120_000
// one send is one batch of a partition: a large record goes alone
const BATCH_BYTES = 100_000

const bytesOf = text => (text === '-' ? null : Buffer.from(text.slice(1), 'hex'))
const textOf = bytes => (bytes === null || bytes === undefined ? '-' : '.' + Buffer.from(bytes).toString('hex'))

function headersOf (text) {
  const headers = {}
  if (text === '-') return headers
  for (const one of text.split(',')) {
    const [name, value] = one.split('=')
    headers[name] = name in headers ? [].concat(headers[name], bytesOf(value)) : bytesOf(value)
  }
  return headers
}

function headerText (headers) {
  const all = Object.entries(headers ?? {}).flatMap(([name, value]) => [].concat(value).map(one => `${name}=${textOf(one)}`))
  return all.length ? all.join(',') : '-'
}

const client = bootstrap => new Kafka({ clientId: 'kafkajs', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })

// kafkajs wraps what the broker said once it has given up
const codeOf = error => error.code ?? error.cause?.code ?? error.originalError?.code ?? -1

async function produce (bootstrap, codec, transactionalId) {
  const transactional = transactionalId !== '-'
  const producer = client(bootstrap).producer(
    transactional ? { transactionalId, maxInFlightRequests: 1, idempotent: true } : { retry: { retries: 5 } })
  await producer.connect()
  let to = producer
  let waiting = []
  let bytes = 0
  const flush = async () => {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    bytes = 0
    try {
      const answers = await to.send({
        topic: batch[0].topic, acks: -1, compression: TYPES[codec], messages: batch.map(record => record.message)
      })
      const next = {}
      for (const { partition, baseOffset } of answers) next[partition] = BigInt(baseOffset)
      for (const { message } of batch) console.log(`ok ${message.partition} ${next[message.partition]++}`)
    } catch (error) {
      for (const _ of batch) console.log(`error ${codeOf(error)}`)
    }
  }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line === 'begin') {
      to = await producer.transaction()
    } else if (line === 'commit' || line === 'abort') {
      await flush()
      await to[line]()
      to = producer
    } else {
      const [topic, partition, timestamp, key, value, headers] = line.split(' ')
      if (waiting.length > 0 && (bytes + line.length > BATCH_BYTES || waiting[0].topic !== topic)) await flush()
      bytes += line.length
      waiting.push({
        topic,
        message: {
          partition: Number(partition), timestamp, key: bytesOf(key), value: bytesOf(value), headers: headersOf(headers)
        }
      })
    }
  }
  await flush()
  await producer.disconnect()
}

async function read (bootstrap, isolation, ...topics) {
  const kafka = client(bootstrap)
  const admin = kafka.admin()
  await admin.connect()
  const metadata = await admin.fetchTopicMetadata({ topics })
  await admin.disconnect()
  let open = metadata.topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
  const consumer = kafka.consumer({ groupId: `reader-${Date.now()}-${process.pid}`, readUncommitted: isolation === 'read_uncommitted' })
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  const late = setTimeout(() => { console.error('not at the end in time'); process.exit(3) }, PATIENCE_MS)
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, event => reject(event.payload.error))
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        if (message.value !== null && message.value.toString() === 'END') {
          if (--open === 0) resolve()
          return
        }
        console.log(
          `${topic} ${partition} ${message.offset} ${message.timestamp} ${textOf(message.key)} ${textOf(message.value)} ${headerText(message.headers)}`)
      }
    }).catch(reject)
  })
  clearTimeout(late)
  await consumer.disconnect()
}

async function member (bootstrap, groupId, topic, ...more) {
  const options = Object.fromEntries(more.map(one => one.split('=')))
  const consumer = client(bootstrap).consumer({ groupId, sessionTimeout: Number(options['session.timeout.ms'] ?? 30000), heartbeatInterval: 500 })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) =>
    console.log('assigned ' + (payload.memberAssignment[topic] ?? []).join(',')))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      console.log(`got ${partition} ${message.offset}`)
      await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(message.offset) + 1n) }])
    }
  })
  process.stdin.resume()
  await new Promise(resolve => process.stdin.on('end', resolve))
  await consumer.disconnect()
}

const [action, ...rest] = process.argv.slice(2)
const actions = { produce, read, member }
actions[action](...rest).then(() => process.exit(0), error => {
  console.error(error)
  process.exit(3)
})

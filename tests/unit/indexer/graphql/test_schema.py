"""The schema has what existing clients name."""

from __future__ import annotations

from graphql import GraphQLInputObjectType, GraphQLObjectType, parse, validate, validate_schema

from indexer.graphql.entities import MODEL
from indexer.graphql.schema import SCHEMA
from sdk.events import EVENT_ABIS


def test_it_is_valid() -> None:
    assert validate_schema(SCHEMA) == []


def test_roots_are_named_as_the_gateway_names_them() -> None:
    query = SCHEMA.query_type
    assert isinstance(query, GraphQLObjectType)
    assert {
        *("account", "accounts", "cluster", "clusters", "operator", "operators", "validator"),
        *("validators", "daovalues", "daovalues_collection", "_meta", "validatorAdded"),
        *("validatorAddeds", "clusterDepositeds", "operatorFeeDeclareds", "upgradeds"),
    } <= set(query.fields)


def test_every_event_entity_is_an_event_of_the_registry() -> None:
    """And its fields are the event's arguments, the cluster's struct and the log's place."""
    known = {abi.signature.partition("(")[0]: set(abi.names) for abi in EVENT_ABIS}
    place = {"id", "blockNumber", "blockTimestamp", "transactionHash", "cluster"}
    for entity in MODEL.entities.values():
        if entity.is_event:
            own = {name for name in entity.fields if not name.startswith("cluster_")}
            assert own - place <= known[entity.name], entity.name
            assert known[entity.name] - own <= {"cluster", "blockNum"}, entity.name


def test_references_are_filtered_by_text_and_by_what_they_lead_to() -> None:
    found = SCHEMA.type_map["Cluster_filter"]
    assert isinstance(found, GraphQLInputObjectType)
    kinds = {name: str(field.type) for name, field in found.fields.items()}
    assert kinds["owner"] == "String"
    assert kinds["owner_in"] == "[String!]"
    assert kinds["owner_"] == "Account_filter"
    assert kinds["operatorIds_contains"] == "[BigInt!]"
    assert kinds["balance_gte"] == "BigInt"
    assert kinds["and"] == "[Cluster_filter]"
    assert "validators" not in kinds


def test_introspection_cannot_be_nested_without_end() -> None:
    deep = "{ fields { type { fields { type { fields { type { fields { name } } } } } } } }"
    document = parse(f"{{ __schema {{ types {deep} }} }}")
    assert validate(SCHEMA, document)

"""Skatteverket Navet: XML files of the population register (*folkbokföringen*), Navetavisering.xsd."""
